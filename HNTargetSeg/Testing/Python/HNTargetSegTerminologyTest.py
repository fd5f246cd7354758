"""Slicer's own terminology logic reads the module's two contexts."""

import unittest
from pathlib import Path

import slicer

import HNTargetSegLib

FOLDER = Path(HNTargetSegLib.__file__).resolve().parents[1] / "Resources" / "Terminology"
TERMINOLOGY, REGIONS = "HNTargetSeg", "HNTargetSeg regions"
CATEGORY = "SCT^49755003^Morphologically Altered Structure"
PRIMARY = "SCT^86049000^Neoplasm, Primary"
SECONDARY = "SCT^14799000^Neoplasm, Secondary"
LYMPH_NODE = "SCT^59441001^Lymph node"
SIDES = ("SCT^24028007^Right", "SCT^7771000^Left")


class HNTargetSegTerminologyTest(unittest.TestCase):
    """Segments can be called what they are, in the colours of the module."""

    def setUp(self):
        # One of its own, so that nothing is left in the application's.
        self.logic = slicer.vtkSlicerTerminologiesModuleLogic()
        self.assertEqual(self.logic.LoadTerminologyFromFile(str(FOLDER / "HNTargetSeg.term.json")), TERMINOLOGY)

    def test_primary_tumours_are_green_and_metastatic_nodes_yellow(self):
        for code, label, colour in ((PRIMARY, "GTVp", (0, 200, 80)), (SECONDARY, "GTVn", (255, 220, 0))):
            entry = slicer.vtkSlicerTerminologyEntry()
            self.assertTrue(self.logic.FindTypeInTerminologyBy3dSlicerLabel(TERMINOLOGY, label, entry))
            self.assertEqual(self._text(entry.GetCategoryObject()), CATEGORY)
            self.assertEqual(self._text(entry.GetTypeObject()), code)
            self.assertEqual(tuple(entry.GetTypeObject().GetRecommendedDisplayRGBValue()), colour)

    def test_a_metastatic_node_can_be_placed_in_a_lymph_node_of_either_side(self):
        path = str(FOLDER / "HNTargetSegRegions.term.json")
        self.assertEqual(self.logic.LoadRegionContextFromFile(path), REGIONS)
        for side in SIDES:
            text = f"{TERMINOLOGY}~{CATEGORY}~{SECONDARY}~^^~{REGIONS}~{LYMPH_NODE}~{side}"
            entry = slicer.vtkSlicerTerminologyEntry()
            self.assertTrue(self.logic.DeserializeTerminologyEntry(text, entry))
            self.assertEqual(self._regions_with(side), 1)

    def test_the_category_offers_the_regions(self):
        category = slicer.vtkSlicerTerminologyCategory()
        self.assertTrue(self.logic.GetNthCategoryInTerminology(TERMINOLOGY, 0, category))
        self.assertTrue(category.GetShowAnatomy())

    def _regions_with(self, side):
        """How many lymph nodes of the loaded context have a modifier."""
        found = 0
        for index in range(self.logic.GetNumberOfRegionsInRegionContext(REGIONS)):
            region, modifier = slicer.vtkSlicerTerminologyType(), slicer.vtkSlicerTerminologyType()
            self.assertTrue(self.logic.GetNthRegionInRegionContext(REGIONS, index, region))
            if self._text(region) != LYMPH_NODE:
                continue
            for number in range(self.logic.GetNumberOfRegionModifierInRegion(REGIONS, region)):
                self.logic.GetNthRegionModifierInRegion(REGIONS, region, number, modifier)
                found += self._text(modifier) == side
        return found

    @staticmethod
    def _text(coded):
        return "^".join((coded.GetCodingSchemeDesignator(), coded.GetCodeValue(), coded.GetCodeMeaning()))


if __name__ == "__main__":
    unittest.main()
