"""What may stay when a DICOM object is de-identified; whatever is not listed here is removed.

The table of the confidentiality profile (PS3.15 E.1-1) lists what must go, and grows from edition to edition. This one
lists what stays, for MR images, segmentations and structure sets: geometry, pixels, how the image was acquired, and
what ties the objects together. Text stays in a few places only.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


IMAGE = _words(
    """
    SpecificCharacterSet ImageType SOPClassUID SOPInstanceUID Modality StudyInstanceUID SeriesInstanceUID SeriesNumber
    AcquisitionNumber InstanceNumber PatientPosition PatientOrientation ImagePositionPatient ImageOrientationPatient
    FrameOfReferenceUID SynchronizationFrameOfReferenceUID Laterality ImageLaterality SliceLocation BodyPartExamined
    TemporalPositionIdentifier NumberOfTemporalPositions TemporalPositionIndex InStackPositionNumber
    SamplesPerPixel PhotometricInterpretation PlanarConfiguration NumberOfFrames Rows Columns PixelSpacing
    PixelAspectRatio BitsAllocated BitsStored HighBit PixelRepresentation SmallestImagePixelValue LargestImagePixelValue
    PixelPaddingValue PixelPaddingRangeLimit WindowCenter WindowWidth VOILUTFunction RescaleIntercept RescaleSlope
    PresentationLUTShape BurnedInAnnotation RecognizableVisualFeatures QualityControlImage
    LossyImageCompression LossyImageCompressionRatio LossyImageCompressionMethod PixelData
    """
)
"""Of every image: what it is, where it lies, and its pixels."""

MR_ACQUISITION = _words(
    """
    ScanningSequence SequenceVariant ScanOptions MRAcquisitionType AngioFlag RepetitionTime EchoTime InversionTime
    NumberOfAverages ImagingFrequency EchoNumbers MagneticFieldStrength SpacingBetweenSlices
    SliceThickness NumberOfPhaseEncodingSteps PercentSampling PercentPhaseFieldOfView PixelBandwidth EchoTrainLength
    FlipAngle SAR dBdt VariableFlipAngleFlag AcquisitionMatrix InPlanePhaseEncodingDirection ReconstructionDiameter
    TriggerTime CardiacNumberOfImages BeatRejectionFlag AcquisitionDuration ParallelAcquisition
    ParallelAcquisitionTechnique ParallelReductionFactorInPlane FatSaturation SpectrallySelectedSuppression
    """
)
"""How an MR image was acquired (PS3.3 C.8.3.1), numbers and defined terms only."""

SEGMENTATION = _words(
    """
    ReferencedSeriesSequence ReferencedInstanceSequence ReferencedSOPClassUID ReferencedSOPInstanceUID
    ReferencedFrameNumber SourceImageSequence DerivationImageSequence DerivationCodeSequence
    PurposeOfReferenceCodeSequence SpatialLocationsPreserved
    SegmentationType SegmentationFractionalType MaximumFractionalValue SegmentsOverlap SegmentSequence SegmentNumber
    SegmentAlgorithmType SegmentedPropertyCategoryCodeSequence SegmentedPropertyTypeCodeSequence AnatomicRegionSequence
    SegmentationAlgorithmIdentificationSequence AlgorithmFamilyCodeSequence RecommendedDisplayCIELabValue TrackingUID
    SegmentIdentificationSequence ReferencedSegmentNumber
    SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence FrameContentSequence PlanePositionSequence
    PlaneOrientationSequence PixelMeasuresSequence DimensionIndexValues DimensionOrganizationSequence
    DimensionOrganizationUID DimensionOrganizationType DimensionIndexSequence DimensionIndexPointer
    FunctionalGroupPointer
    """
)
"""Of a segmentation (PS3.3 C.8.20)."""

STRUCTURE_SET = _words(
    """
    ReferencedFrameOfReferenceSequence RTReferencedStudySequence RTReferencedSeriesSequence ContourImageSequence
    ReferencedFrameOfReferenceUID PredecessorStructureSetSequence
    StructureSetROISequence ROINumber ROIVolume ROIGenerationAlgorithm ROIDerivationAlgorithmIdentificationSequence
    ConceptualVolumeIdentificationSequence ConceptualVolumeUID
    ROIContourSequence ROIDisplayColor ContourSequence ContourGeometricType NumberOfContourPoints ContourNumber
    ContourData RTROIObservationsSequence ObservationNumber ReferencedROINumber RTROIIdentificationCodeSequence
    RTROIInterpretedType ApprovalStatus
    """
)
"""Of a structure set (PS3.3 C.8.8.5 to C.8.8.8)."""

CODES = _words("CodeValue CodingSchemeDesignator CodeMeaning")
"""Of a coded concept (PS3.3 8.8), in the sequences that stay."""

STAYS = IMAGE | MR_ACQUISITION | SEGMENTATION | STRUCTURE_SET | CODES

OWN_WORDS = _words(
    """
    Manufacturer ManufacturerModelName DeviceSerialNumber SoftwareVersions SeriesDescription StructureSetLabel
    StructureSetName StructureSetDescription ROIDescription ContentLabel ContentDescription SegmentDescription
    SegmentAlgorithmName AlgorithmName AlgorithmVersion DimensionDescriptionLabel
    """
)
"""Text that stays in objects which this program wrote, as it holds the program's own words there."""

NAMES = _words("SegmentLabel TrackingID ROIName")
"""Names of structures: those of TG-263 without a suffix stay, others are replaced."""

EMPTIED = _words(
    """
    AccessionNumber ReferringPhysicianName StudyID PatientBirthDate PatientSex Manufacturer OperatorsName
    ContentCreatorName ROIInterpreter PositionReferenceIndicator
    """
)
"""Present in many classes of objects though nothing is known (type 2)."""

DATES = _words(
    """
    StudyDate SeriesDate AcquisitionDate ContentDate InstanceCreationDate StructureSetDate AcquisitionDateTime
    StudyTime SeriesTime AcquisitionTime ContentTime InstanceCreationTime StructureSetTime
    """
)
"""What the option for dates keeps, shifted; without it those that must be there are emptied or take a fixed value."""

EMPTIED_DATES = _words("StudyDate StudyTime StructureSetDate StructureSetTime")
FIXED_DATES = {"ContentDate": "20000101", "ContentTime": "000000"}

PATIENT = _words("PatientSex PatientAge PatientSize PatientWeight")
"""What the option for the patient's characteristics keeps; without it the sex is emptied and the rest goes."""

DEVICE = _words("Manufacturer ManufacturerModelName SoftwareVersions")
"""What the option for the device keeps of the scanner; its serial number and station go all the same."""
