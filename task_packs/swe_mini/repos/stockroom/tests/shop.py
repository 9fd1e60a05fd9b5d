from stockroom import Inventory, Item


def small_shop():
    stock = Inventory()
    stock.add(Item("A-1", "cup", "4.50", weight=300, tags=["kitchen"]), 20)
    stock.add(Item("B-2", "lamp", "25.00", weight=1500), 4)
    stock.add(Item("C-3", "card", "0.99", weight=0, tags=["paper"]), 100)
    return stock
