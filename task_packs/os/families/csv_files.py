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
            "into {out}, [put|write|copy] just column {column} of [the table|the spreadsheet|] {file}",
            "{file}: [pull out|cut out|extract] column {column} and [drop|place|store] it in {out}",
            "the [values|entries|cells] of column {column} in {file} [go to|belong in] {out}",
            "to [get|build|fill] {out}, [cut|take|grab] column {column} out of {file}",
            "i would like {out} to [hold|contain] only the [entries|cells|values] of column {column} from {file}",
            "we [need|want] a [file|document] {out} that [lists|holds] what is in column {column} of {file}",
            "there should be a [file|text file] {out} with [just|only|nothing but] column {column} of {file} in it",
            "make sure that {out} [contains|holds|has] column {column} of the table {file} and no other columns",
            "every [value|cell|entry] in column {column} of {file} [has to|is to|must] be [copied|written|saved] to {out}",
            "{file} has too many columns, [keep|save|store] only number {column} in {out}",
            "only column {column} of {file} as {out}",
            "with cut, [take|get] column {column} of the comma-separated file {file} and [print|send|write] it to {out}",
            "take {file}, [discard|remove|throw away] every column but number {column} and [save|store] [what is left|the result] as {out}",
            "how about a list {out} of everything in column {column} of {file}",
            "let us [have|get] column {column} of {file} [on its own|alone|by itself] in {out}",
            "see to it that column {column} of {file} [ends up|lands|is stored] in {out}",
            "have {out} [contain|list|show] the [cells|fields|entries] under column {column} of {file}",
            "what i want is the [content|contents|text] of column {column} from {file}, [saved|stored|recorded] in {out}",
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
            "into {out}, [write|put|place] the [rows|lines|records] of {file} in the order of column {column}",
            "{file}: [sort|order|arrange] its [rows|lines|records] by column {column} and [store|drop|save] them in {out}",
            "the [records|entries|lines] of {file}, [sorted|ordered|arranged] on column {column}, go to {out}",
            "to [get|produce|build] {out}, [sort|order|rearrange] {file} by what is in column {column}",
            "i would like {out} to be {file} with its rows sorted [by|on] column {column}",
            "we need a [sorted|reordered] [table|file] {out} [built|made] from {file}, with column {column} as the sort key",
            "there should be a [copy|duplicate|version] of {file} [named|called] {out} whose rows follow the order of column {column}",
            "make sure that {out} [lists|has|shows] all rows of {file} [ordered|sorted] by the values in column {column}",
            "the table {file} has to be [sorted|reordered|arranged] by column {column} and [saved|stored|written] as {out}",
            "the rows of {file} are [in no order|mixed up|a mess], [sort|order] them by column {column} into {out}",
            "{file} [sorted|ordered] on column {column}, [output|result] in {out}",
            "with column {column} as the [key|sort key], [sort|order|arrange] {file} and [print|write|send] the result to {out}",
            "take {file}, [put|bring] its rows in order by column {column} and [keep|save|record] the [new table|result] in {out}",
            "how about [sorting|ordering] {file} on the [values|entries|contents] of column {column}, with the [output|result] in {out}",
            "let us have the rows of {file} [sorted|in order] by column {column} in a [file|table] called {out}",
            "see to it that the [lines|rows] of {file} end up in {out} [sorted|arranged|ordered] by their column {column}",
            "have {out} [contain|hold] the whole table {file}, [ordered|sorted] by column {column}",
            "what i want is {file} [rearranged|sorted] so that column {column} is in order, [saved|stored] as {out}",
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
            "into {out}, [copy|put|write] every [row|line] of {file} [except|but|apart from] the header",
            "{file}: [drop|cut off|remove] the [header|title|heading] line and [store|save|put] what [remains|is left] in {out}",
            "the data [rows|lines|records] of {file}, [without|minus] the [header|heading], go to {out}",
            "to [make|prepare|get] {out}, [take|copy] {file} and [leave off|skip|cut] the line with the column [names|titles]",
            "i would like {out} to be {file} without the [line|row] of column [names|titles|headings]",
            "we [want|need] only the [data|records] of {file} in {out}, not the [header|heading] [row|line]",
            "there should be a [headerless|header-free] [copy|version|duplicate] of {file} [named|called] {out}",
            "make sure that {out} has all [rows|lines|records] of {file} but no header",
            "the [header|heading|title] row of {file} is to be left out, the [other|remaining] rows go to {out}",
            "the header of {file} is [in the way|not needed|of no use], [discard|drop|omit] it and [save|write] the [data|other rows] to {out}",
            "{file} with no header line, [saved|stored|written] as {out}",
            "from the second line on, [copy|write|print] everything in {file} to {out}",
            "take {file}, [throw away|delete|chop off] its header line and [record|place|save] the [remaining lines|rest] in {out}",
            "how about [copying|saving] {file} to {out} [without|minus] the column [names|headings] at the top",
            "let us [skip|omit|ignore] the [header|heading] of {file} and [keep|have] just the data in {out}",
            "see to it that {out} [gets|contains|receives] {file} from line 2 onwards, the header [stays out|is not wanted]",
            "have {out} [contain|hold] the [body|data|rows] of {file} with the header [removed|stripped|cut off]",
            "what i want in {out} is {file} [less|without] its [header|top|first] line",
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
            "at the [end|bottom] of {file}, [add|place|write] one more [row|line|record] reading {row}",
            "{file}: [append|add] the [row|line|record] {row}",
            "the [row|record|entry] {row} [belongs|goes] at the [end|bottom] of {file}",
            "to [complete|finish|extend] {file}, [append|add] the [row|record|line] {row}",
            "i would like the [table|csv file|list] {file} to [end|close|finish] with an added row {row}",
            "we [need|want] {row} as [an additional|a further|an extra] [row|record] in {file}",
            "there should be [a further|an extra|one more] [row|line] {row} at the end of [the table|] {file}",
            "make sure that {file} [ends|closes|finishes] with a new [row|record|line] {row}",
            "the [record|row|data] {row} [has to|must|is to] be [added|appended] to the [csv file|table] {file}",
            "the table {file} is [not complete|incomplete|unfinished], [append|attach|add] the [row|line] {row}",
            "one [more|new|extra] [row|record|line] for {file}: {row}",
            "as a new [last|final|bottom] row of {file}, [add|write|append] {row}",
            "take the [row|record|line] {row} and [add|append|attach] it to the [end|bottom] of {file}",
            "how about [adding|appending] {row} as [a new row|another record|an extra line] to {file}",
            "let us [extend|expand] the [table|csv file] {file} by one [row|record], {row}",
            "see to it that {file} [gets|receives] {row} as its new [last|final] [row|record]",
            "what i want is {row} [added|appended|recorded] as a [new|further] row at the end of {file}",
            "below the [existing|other|current] rows of {file}, [add|enter|write] {row}",
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
