"""The module as Slicer has it after the build: complete, light to import, with its model and its sample patient."""

import importlib
import pkgutil
import sys
import tempfile
import unittest
from pathlib import Path

import HNTargetSegLib

# What lives in Slicer's process; the rest is imported when it is used, or in the worker's.
ROOMS = ("case", "phantom", "lesions", "review", "scene", "desktop")
OTHERS = ("HNTargetSegLib.links", "HNTargetSegLib.resources", "HNTargetSegLib.worker.client")
HEAVY = ("torch", "nnunetv2", "highdicom", "trame", "dask", "sqlalchemy")


class HNTargetSegPackageTest(unittest.TestCase):
    """What the lists of files and the install rules must bring."""

    def test_every_room_of_the_module_is_there_and_imports_nothing_heavy(self):
        loaded = set(sys.modules)
        for room in ROOMS:
            package = importlib.import_module(f"HNTargetSegLib.{room}")
            for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
                importlib.import_module(module.name)
        for name in OTHERS:
            importlib.import_module(name)
        self.assertEqual([name for name in HEAVY if name in set(sys.modules) - loaded], [])

    def test_the_shipped_model_lies_beside_the_module_and_is_unchanged(self):
        from HNTargetSegLib.models.store import ModelStore
        from HNTargetSegLib.models.stored import changed_files
        from HNTargetSegLib.resources import resource_folder

        module_folder = Path(HNTargetSegLib.__file__).resolve().parents[1]
        self.assertEqual(resource_folder("models"), module_folder / "Resources" / "models")
        with tempfile.TemporaryDirectory() as folder:
            models = ModelStore(user_folder=Path(folder)).list()
        self.assertTrue(models)
        self.assertEqual([line for model in models for line in changed_files(model)], [])

    def test_the_sample_patient_is_made_on_the_spot(self):
        from HNTargetSegLib.phantom import PhantomOptions
        from HNTargetSegLib.phantom.sample import sample_patient

        options = PhantomOptions(size=(52, 64, 28), spacing=(4.0, 4.0, 6.0))
        with tempfile.TemporaryDirectory() as folder:
            files = sample_patient(Path(folder), options=options)
            self.assertTrue(all(path.stat().st_size > 0 for _, path in files))


if __name__ == "__main__":
    unittest.main()
