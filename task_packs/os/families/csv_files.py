"""Comma-separated tables: one column, sorted rows, no header, one more row."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, plain, text
from hybrid_agent.types import CommandCheck, ContainsCheck, EqualsCheck, ExistsCheck
from task_packs.os.calls import edit, shell
from task_packs.os.data import file, table


def column(draw: Draw) -> Scene:
    columns = draw.number(3, 6)
    number = draw.number(1, columns)
    path, out, content = draw.path("csv"), draw.file("txt", "csv"), table(draw, columns)
    cells = [row.split(",")[number - 1] for row in content.splitlines()]
    return Scene(
        slots={"file": name(path), "column": plain(number), "out": name(out)},
        setup=[file(path, content)],
        gold=[shell(f"cut -d , -f {number} {path} > {out}")],
        done=ExistsCheck(path=out, type="file"),
        checks=[EqualsCheck(path=out, text="\n".join(cells)), EqualsCheck(path=path, text=content)],
    )


def sort_rows(draw: Draw) -> Scene:
    columns = draw.number(3, 5)
    number = draw.number(1, columns - 1)
    path, out, content = draw.path("csv"), draw.file("csv"), table(draw, columns, header=False)
    rows = sorted(content.splitlines(), key=lambda row: (",".join(row.split(",")[number - 1 :]), row))
    return Scene(
        slots={"file": name(path), "column": plain(number), "out": name(out)},
        setup=[file(path, content)],
        gold=[shell(f"sort -t , -k {number} {path} > {out}")],
        done=CommandCheck(cmd=f"sort -t , -k {number} -c {out}"),
        checks=[EqualsCheck(path=out, text="\n".join(rows)), EqualsCheck(path=path, text=content)],
    )


def drop_header(draw: Draw) -> Scene:
    path, out, content = draw.path("csv"), draw.file("csv"), table(draw, draw.number(3, 5))
    return Scene(
        slots={"file": name(path), "out": name(out)},
        setup=[file(path, content)],
        gold=[shell(f"tail -n +2 {path} > {out}")],
        done=ExistsCheck(path=out, type="file"),
        checks=[
            EqualsCheck(path=out, text="".join(content.splitlines(keepends=True)[1:])),
            EqualsCheck(path=path, text=content),
        ],
    )


def add_row(draw: Draw) -> Scene:
    columns = draw.number(3, 5)
    path, content = draw.path("csv"), table(draw, columns)
    row = ",".join([f"{draw.word()}{draw.number(20, 99)}", *(draw.word() for _ in range(columns - 2))])
    row += f",{draw.number(1000, 9999)}"
    return Scene(
        slots={"file": name(path), "row": text(row)},
        setup=[file(path, content)],
        gold=[edit(path, "append", text=row)],
        done=ContainsCheck(path=path, text=row),
        checks=[EqualsCheck(path=path, text=content + row)],
    )


INTENTS = [
    Intent(
        family="csv_files",
        name="csv_column",
        train=(
            "[save|write|put|copy] column {column} of {file} [to|into|in] {out}",
            "[extract|take|pull] column {column} [from|out of] [the table|the csv file|] {file} [into|as] {out}",
            "from [the csv file|the table|] {file}, [keep|extract|take] only column {column} in {out}",
            "{out} should [hold|contain|have] column {column} of [the table|the csv file|] {file}",
            "[cut|get] [column|column number] {column} [from|out of] {file} and [save|store|write] it in {out}",
            "[make|create|produce] {out} [from|with] column {column} of {file}",
            "[store|save|keep] the values [in|of] column {column} of {file} [as|in] {out}",
            "[list|collect] [all|the] values of column {column} in {file} and [put|write] them in {out}",
            "[make|generate] a list of what column {column} of {file} contains in {out}",
        ),
        val=(
            "[pull|get] the values of column number {column} out of the table {file} into {out}",
            "for {out}, cut column {column} from {file}",
        ),
        held=(
            "the values in column {column} of the csv file {file} should go to {out}",
            "[collect|store] in {out} what column {column} of {file} contains",
            "[take|get] the table {file} and [copy|write] its column {column} to {out}",
        ),
        build=column,
    ),
    Intent(
        family="csv_files",
        name="csv_sort",
        train=(
            "[sort|order|arrange] [the rows of|the table|the csv file|] {file} by column {column} into {out}",
            "[sort|order] {file} by its column {column} and [save|write|store] the [result|output] [to|in|as] {out}",
            "[write|save|put] the rows of {file} [sorted|ordered] by column {column} [to|into|in] {out}",
            "{out} should [hold|contain|have] the rows of {file} [sorted|ordered] by column {column}",
            "by column {column}, [sort|order|arrange] the rows of {file} into {out}",
            "[make|create|produce] a [version|copy] of {file} sorted by column {column} [as|called|in] {out}",
            "[take|read] the rows of {file}, [sort|order|arrange] them by column {column} and [save|put] them in {out}",
            "[bring|put] the rows of [the table|] {file} in the order of column {column}, the result goes to {out}",
        ),
        val=(
            "[store|save] the table {file} as {out}, its rows ordered by column {column}",
            "[arrange|bring] the csv file {file} in the order of column {column} and write it to {out}",
        ),
        held=(
            "[produce|create] {out} by [sorting|ordering] the rows of {file} by column {column}",
            "for {out}, [take|read] the table {file} and order it by column {column}",
            "the rows of {file} should be sorted by column {column}, the output belongs in {out}",
        ),
        build=sort_rows,
    ),
    Intent(
        family="csv_files",
        name="csv_no_header",
        train=(
            "[save|write|put|copy] {file} without [its|the] [header|header line|header row] [to|as|into] {out}",
            "[drop|remove|strip] the [header|header row] of {file} and [save|write|store] the rest [to|in|as] {out}",
            "[copy|save|write] [everything but|all but|everything except] the header of {file} [to|into] {out}",
            "{out} should [hold|contain|have] [only the data rows|the rows but not the header] of {file}",
            "from {file}, [take|keep|copy] [only the data rows|the rows without the header] into {out}",
            "[make|create|produce] a [version|copy] of {file} without the [header|header row] [called|as|in] {out}",
            "[skip|leave out|omit] the [header|header line] of {file} and [put|write|save] the data rows in {out}",
            "[store|put] the data [rows|] of {file}, [not|without] the header, in {out}",
        ),
        val=(
            "[strip|cut] the header out of {file}, the data rows go to {out}",
            "[keep|store] all of {file} except its header row in {out}",
        ),
        held=(
            "[produce|make] {out}, the data of {file} without a header line",
            "for {out}, [omit|skip] the header and [take|keep] the rows of {file}",
            "{file} has a header, [write|copy] everything except that to {out}",
        ),
        build=drop_header,
    ),
    Intent(
        family="csv_files",
        name="csv_add_row",
        train=(
            "[add|append|write] the row {row} to {file}",
            "[add|append|put|insert] a [new|last|final] row {row} [to|at the end of] [the table|the csv file|] {file}",
            "[append|attach] {row} as a [new|last] row to {file}",
            "in [the table|the csv file|] {file}, [add|append|put|write] the row {row} at the end",
            "{file} [needs|should get] [a new|one more|another] row {row}",
            "[extend|finish] the table {file} with the row {row}",
            "[record|enter] the [new|] row {row} in the [table|csv file] {file}",
            "the [table|csv file] {file} [lacks|is missing] the row {row}, [add|append|put] it at the end",
            "[enter|write] another row {row} at the end of the table {file}",
        ),
        val=(
            "[enter|put] {row} into the csv file {file} as one more row",
            "[extend|finish] {file} by appending the row {row}",
        ),
        held=(
            "the table {file} should end with the row {row}, [attach|add] it",
            "[write|record] one more row {row} at the bottom of the csv file {file}",
            "for the table {file}, [append|enter] another row: {row}",
        ),
        build=add_row,
    ),
]
