"""Items from CSV text."""

import csv
import io

from stockroom.items import Item

NEEDED = ("sku", "name", "price")


def read_items(text):
    """Items and counts of a table with the columns sku, name, price and perhaps weight, count, reorder_at, tags.

    Tags are separated by ";". Lines without any text are skipped.

    Raises:
        ValueError: a column is missing, or a value is wrong; the message has the line.
    """
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    columns = [name.strip().lower() for name in reader.fieldnames or []]
    reader.fieldnames = columns
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise ValueError(f"missing columns: {', '.join(missing)}")
    found = []
    for row in reader:
        values = {name: (value or "").strip() for name, value in row.items() if name is not None}
        if not any(values.values()):
            continue
        try:
            found.append((_item(values), int(values.get("count") or 0)))
        except (ValueError, ArithmeticError) as error:
            raise ValueError(f"line {reader.line_num}: {error}") from None
    return found


def _item(values):
    item = Item(
        values["sku"],
        values["name"],
        values["price"],
        weight=int(values.get("weight") or 0),
        reorder_at=int(values.get("reorder_at") or 5),
    )
    for tag in values.get("tags", "").split(";"):
        item.tag(tag)
    return item
