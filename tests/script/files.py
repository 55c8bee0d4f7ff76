# ruff: noqa: E501 – parts of files, as they are
"""Files of word processors and spreadsheet programs, as those write them."""

import io
import zipfile


def workbook(cells, merged=()):
    """A workbook as spreadsheet programs write it, with shared and inline strings, numbers, and empty cells left out."""

    def cell(row, column, value):
        name = f"{'ABCDEFG'[column]}{row}"
        if isinstance(value, int):
            return f'<c r="{name}"><v>{value}</v></c>'
        if column == 1:
            return f'<c r="{name}" t="inlineStr"><is><t>{value}</t></is></c>'
        strings.append(value)
        return f'<c r="{name}" t="s"><v>{len(strings) - 1}</v></c>'

    strings: list[str] = []
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rows = "".join(
        f'<row r="{r}">{"".join(cell(r, c, v) for c, v in enumerate(row) if v is not None)}</row>'
        for r, row in enumerate(cells, start=1)
        if row
    )
    spans = "".join(f'<mergeCell ref="{ref}"/>' for ref in merged)
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relation}"><sheets><sheet name="x" r:id="rId7"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="x"><Relationship Id="rId7" Target="worksheets/one.xml"/></Relationships>',
        "xl/worksheets/one.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData><mergeCells>{spans}</mergeCells></worksheet>',
    }
    shared = "".join(f"<si><r><t>{text[:2]}</t></r><r><t>{text[2:]}</t></r></si>" for text in strings)
    parts["xl/sharedStrings.xml"] = f'<sst xmlns="{main}">{shared}</sst>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        for name, text in parts.items():
            book.writestr(name, text)
    return out.getvalue()


def document(name, body, folder):
    part, space = {"docx": ("word/document.xml", "w"), "odt": ("content.xml", "text")}[name[-4:].lstrip(".")]
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.writestr(part, f'<{space}:d xmlns:{space}="urn:a" xmlns:table="urn:b">{body}</{space}:d>')
    return folder / name


def word(text, style=""):
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{{}}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>'.format("")
