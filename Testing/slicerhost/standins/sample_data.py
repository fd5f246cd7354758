"""``SampleData``: the register of sample data, and pressing one of its entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class SampleDataSource:
    """One entry of the Sample Data module."""

    def __init__(
        self,
        sampleName: str | None = None,
        sampleDescription: str | None = None,
        uris: Any = None,
        fileNames: Any = None,
        nodeNames: Any = None,
        checksums: Any = None,
        loadFiles: Any = None,
        customDownloader: Callable[[Any], Any] | None = None,
        thumbnailFileName: str | None = None,
        loadFileTypes: Any = None,
        loadFileProperties: dict[str, Any] | None = None,
        loadFileType: Any = None,
    ) -> None:
        if loadFileType is not None and loadFileTypes is not None:
            raise ValueError("loadFileType and loadFileTypes cannot be specified at the same time")
        many = isinstance(uris, list | tuple)
        fields = {"uris": uris, "fileNames": fileNames, "nodeNames": nodeNames, "checksums": checksums}
        fields |= {"loadFiles": loadFiles, "loadFileTypes": loadFileTypes or loadFileType}
        if isinstance(uris, str):
            fields = {name: [value] for name, value in fields.items()}
        elif many:
            fields = {name: [None] * len(uris) if value is None else value for name, value in fields.items()}
        # As in Slicer, a source with no address cannot be made: len(None) raises.
        if len({len(value) for value in fields.values()}) != 1:
            raise ValueError(f"All fields of sample data source must have the same length: {fields}")
        self.sampleName = sampleName
        self.sampleDescription = sampleName if sampleDescription is None else sampleDescription
        self.customDownloader = customDownloader
        self.thumbnailFileName = thumbnailFileName
        self.loadFileProperties = loadFileProperties or {}
        self.uris, self.fileNames, self.nodeNames = fields["uris"], fields["fileNames"], fields["nodeNames"]
        self.checksums, self.loadFiles = fields["checksums"], fields["loadFiles"]
        self.loadFileTypes = fields["loadFileTypes"]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SampleDataSource) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


class SampleDataLogic:
    """The register, in ``slicer.modules.sampleDataSources``."""

    @staticmethod
    def registerCustomSampleDataCategory(category: str, title: str) -> None:
        _kept("sampleDataSourceCategories").setdefault(category, {})["title"] = title

    @staticmethod
    def registerCustomSampleDataSource(
        category: str = "Custom",
        sampleName: str | None = None,
        uris: Any = None,
        fileNames: Any = None,
        nodeNames: Any = None,
        customDownloader: Callable[[Any], Any] | None = None,
        thumbnailFileName: str | None = None,
        loadFileTypes: Any = None,
        loadFiles: Any = None,
        loadFileProperties: dict[str, Any] | None = None,
        checksums: Any = None,
        loadFileType: Any = None,
    ) -> None:
        source = SampleDataSource(
            sampleName=sampleName,
            uris=uris,
            fileNames=fileNames,
            nodeNames=nodeNames,
            thumbnailFileName=thumbnailFileName,
            loadFileTypes=loadFileTypes,
            loadFiles=loadFiles,
            loadFileProperties=loadFileProperties,
            checksums=checksums,
            customDownloader=customDownloader,
            loadFileType=loadFileType,
        )
        known = _kept("sampleDataSources").setdefault(category, [])
        if source not in known:
            known.append(source)

    @staticmethod
    def sampleDataSourcesByCategory(category: str | None = None) -> Any:
        sources = _kept("sampleDataSources")
        return sources if category is None else sources.get(category, [])

    @staticmethod
    def isSampleDataSourceRegistered(category: str, sampleDataSource: SampleDataSource) -> bool:
        return sampleDataSource in _kept("sampleDataSources").get(category, [])

    @staticmethod
    def categoryTitle(category: str) -> str:
        return _kept("sampleDataSourceCategories").get(category, {}).get("title", category)

    def sourceForSampleName(self, sampleName: str) -> SampleDataSource | None:
        sources = [source for sources in _kept("sampleDataSources").values() for source in sources]
        return next((source for source in sources if source.sampleName == sampleName), None)


def host_press(sample_name: str) -> Any:
    """What the button of ``sample_name`` in the Sample Data module does; only samples made on the spot work here."""
    source = SampleDataLogic().sourceForSampleName(sample_name)
    if source is None or source.customDownloader is None:
        raise LookupError(f"no sample data {sample_name} with a downloader of its own")
    return source.customDownloader(source)


def _kept(name: str) -> dict[str, Any]:
    import slicer

    if not hasattr(slicer.modules, name):
        setattr(slicer.modules, name, {})
    kept: dict[str, Any] = getattr(slicer.modules, name)
    return kept
