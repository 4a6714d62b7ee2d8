import pytest

from stream.importing.files.mapping.load import load_mapping, parse_mapping, ready_mappings
from stream.importing.files.mapping.mapping import MappingError
from tests.support.importing import INVOICES, imported


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('customer = "customer"', 'client = "customer"'), "test.toml, line 9: 'client' is no field"),
        (('customer = "customer"\n', ""), "must name the column of 'customer'"),
        (("[returns]", "[refunds]"), "line 12"),
        (('order_prefix = "C"', "order_prefix = 3"), "line 13"),
        (("[returns]", '[time]\nzone = "London"\n[returns]'), "line 13: 'London' is no time zone"),
        (('currency = "GBP"', 'event = "order"'), "line 11: 'order' is no event type"),
        (("[returns]", "[returns"), "line 12"),
        (
            ("[returns]", '[time]\nformats = ["%d/%m/%Y", "%m/%d/%Y"]\n[returns]'),
            "line 13: '%d/%m/%Y' and '%m/%d/%Y' read the same text as two different days",
        ),
        (("[returns]", '[file]\nencoding = "utf-9"\n[returns]'), "line 13: unknown encoding: utf-9"),
        (("[returns]", '[file]\ndelimiter = ";;"\n[returns]'), "line 13: ';;' is no delimiter"),
    ],
)
def test_a_wrong_mapping_is_reported_with_its_line(change, message):
    with pytest.raises(MappingError, match=r"test\.toml") as caught:
        parse_mapping(INVOICES.replace(*change), "test.toml")

    assert message in str(caught.value)


def test_a_missing_column_is_reported_with_the_existing_ones(tmp_path):
    with pytest.raises(MappingError, match=r"no column 'price'.*amount"):
        imported(tmp_path, "invoice,product,quantity,time,amount,customer\n")


def test_an_unknown_mapping_names_the_ready_ones():
    with pytest.raises(MappingError, match="online-retail"):
        load_mapping("nowhere.toml")


@pytest.mark.parametrize("name", ready_mappings())
def test_every_ready_mapping_can_be_loaded(name):
    assert load_mapping(name).columns["customer"]
