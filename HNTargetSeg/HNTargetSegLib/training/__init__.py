"""Train nnU-Net models on HNTS-MRG patients and put them into the model store."""
