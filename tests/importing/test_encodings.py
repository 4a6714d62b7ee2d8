"""Files that are not UTF-8: --suggest guesses the encoding, and always says that it is a guess."""

import tomllib

import pytest

from stream.importing.files.cautions import cautions
from stream.importing.files.mapping.load import parse_mapping
from stream.importing.files.suggest.suggest import suggested_mapping
from tests.support.export_headers import WOO
from tests.support.importing import INVOICES, Imported

HEADER = "Order ID,Customer ID,Order Date,Product,Amount\n"
TEXTS = {
    "cp932": ("株式会社", "東京都渋谷区", "りんごジュース", "ﾃｽﾄ商品", "マグカップ"),
    "euc_jp": ("株式会社", "東京都渋谷区", "りんごジュース", "マグカップ"),
    "gb18030": ("北京市", "张伟", "苹果汁", "马克杯", "有限公司"),
    "cp949": ("서울특별시", "김철수", "사과 주스", "머그컵"),
    "cp1251": ("Москва", "Иванов", "Яблочный сок", "Кружка"),
    "cp1253": ("Αθήνα", "Γιώργος", "Κούπα με λαβή"),
    "cp1250": ("Łódź", "Świętosława", "Żółć", "Gdańsk"),
    "utf-16-le": ("Müller", "Café crème"),
    "utf-16-be": ("Müller", "Café crème"),
}
WESTERN = (
    ("Müller", "Straße", "Größe 38½"),
    ("Crème brûlée", "François"),
    ("São Paulo",),
    ("£5 gift", "“Quoted” – dash", "Ångström", "5 µm", "H²O", "T-Shirt ‘M’"),
    ("Muñoz", "José Pérez", "¿Qué?"),
)


def lines(texts):
    rows = [f"{n},c{n},2024-01-{n % 28 + 1:02},{text},{n}.50\n" for n, text in enumerate(texts * 4, start=1)]
    return HEADER + "".join(rows)


def encoding_of(folder, raw):
    path = folder / "export.csv"
    path.write_bytes(raw)
    text = suggested_mapping(path, as_json=False)
    return tomllib.loads(text).get("file", {}).get("encoding", "utf-8"), text


@pytest.mark.parametrize("encoding", TEXTS)
def test_an_encoding_is_guessed_although_the_header_is_english(tmp_path, encoding):
    texts = TEXTS[encoding]
    found, proposal = encoding_of(tmp_path, lines(texts).encode(encoding))
    done = Imported(proposal, tmp_path / "export.csv")
    names = {product["product_id"] for event in done.events for product in event["data"]["products"]}

    assert (found, done.rejects) == (encoding, [])
    assert names == set(texts)


@pytest.mark.parametrize("texts", WESTERN)
def test_western_texts_stay_windows_1252(tmp_path, texts):
    assert encoding_of(tmp_path, lines(texts).encode("cp1252"))[0] == "cp1252"


def test_a_guess_is_told_with_how_it_reads_and_what_else_it_may_be(tmp_path):
    _, proposal = encoding_of(tmp_path, lines(("çay bardağı", "Şişli")).encode("cp1254"))

    assert "# a guess: çay bardaðý; is it right? Else " in proposal
    assert "cp1254: çay bardağı" in proposal


def test_utf_8_needs_no_guess(tmp_path):
    assert "a guess" not in encoding_of(tmp_path, lines(("Müller",)).encode())[1]


def test_a_ready_mapping_takes_over_encoding_and_delimiter_of_the_file(tmp_path):
    header = (
        "InvoiceNo;StockCode;Description;Quantity;InvoiceDate;UnitPrice;CustomerID;Country\n"
        "536365;85123A;Café;6;01/12/2010 08:26;2.55;17850;United Kingdom\n"
    )
    (tmp_path / "retail.csv").write_bytes(header.encode("cp1252"))
    proposal = suggested_mapping(tmp_path / "retail.csv", as_json=False)
    done = Imported(proposal, tmp_path / "retail.csv")

    assert proposal.startswith("# ready mapping: online-retail")
    assert [product["name"] for product in done.events[0]["data"]["products"]] == ["Café"]


def test_names_that_are_not_in_the_encoding_are_told(tmp_path):
    mapping = INVOICES.replace('customer = "customer"', 'customer = "customer"\nname = "name"')
    path = tmp_path / "x.csv"
    path.write_bytes(
        "invoice,product,quantity,time,price,customer,name\n1,a,1,2024-01-01,2,b,Caf\xe9\n".encode("cp1252")
    )
    sentences = cautions(parse_mapping(mapping, "m"), Imported(mapping, path).summary)

    assert any("texts like 'Caf\ufffd' are not in the encoding 'utf-8'" in one for one in sentences)


def test_a_real_export_in_utf_8_is_not_guessed():
    assert "encoding" not in suggested_mapping(WOO.path, as_json=False)
