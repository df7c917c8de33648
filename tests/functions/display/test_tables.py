"""Results that are tables."""

from jobs.functions.display.shape import display


def texts(table):
    return [[value.text for _, value in row] for row in table.rows]


def names(table):
    return [column.name for column in table.columns]


def test_dictionaries_are_rows_under_all_of_their_keys():
    table = display([{"run": "a", "value": 0.5}, {"run": "b", "value": None, "why": "late"}]).table
    assert names(table) == ["run", "value", "why"]
    assert texts(table) == [["a", "0.5", ""], ["b", "none", "late"]]


def test_columns_of_numbers_stand_at_the_right_also_where_some_are_missing():
    table = display([{"n": 1, "s": "1", "m": 1, "b": True}, {"n": None, "s": "2", "m": "two", "b": False}]).table
    assert [column.name for column in table.columns if column.is_number] == ["n"]


def test_the_first_hundred_rows_are_shown_and_how_many_there_are_is_said():
    table = display([[number, number * number] for number in range(2000)]).table
    assert len(table.rows) == 100
    assert table.note == "The first 100 of 2,000 rows are shown."
    assert display([[1, 2]]).table.count == "1 row"


def test_of_very_wide_rows_the_first_columns_are_shown():
    table = display([list(range(64)), list(range(64))]).table
    assert names(table) == [str(number) for number in range(1, 31)]
    assert table.note == "The first 30 of 64 columns are shown."
    wide = display([{f"k{number}": number for number in range(64)}]).table
    assert (len(wide.rows[0]), wide.note) == (30, table.note)


def test_lists_under_names_are_columns_and_single_values_stand_below():
    shown = display({"total": 12, "name": ["a", "b"], "score": [1, 2.25]})
    assert names(shown.table) == ["name", "score"]
    assert texts(shown.table) == [["a", "1"], ["b", "2.25"]]
    assert [(pair.name, pair.value.text) for pair in shown.pairs.items] == [("total", "12")]


def test_a_list_of_plain_values_is_a_column_with_its_index():
    table = display(["a", None, 2.5]).table
    assert texts(table) == [["0", "a"], ["1", "none"], ["2", "2.5"]]


def test_long_texts_and_nested_values_are_cut_in_their_cells_and_this_is_said():
    shown = display([{"text": "x" * 200, "list": list(range(200))}, {"text": "short", "list": [1]}])
    text, nested = (value for _, value in shown.table.rows[0])
    assert text.text == "x" * 119 + "…"
    assert text.exact == "x" * 200
    assert nested.text.startswith("[0, 1, 2, ")
    assert len(nested.text) <= 121
    assert shown.table.note == "Long values are cut."
    assert shown.is_cut
