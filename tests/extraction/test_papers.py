"""Invoices and receipts in a few rows each, as they are printed in many countries: what the shipped types read in them."""

from __future__ import annotations

import pytest

from tests.extraction.make import Answer, field, shipped

PLACES = {1: (0.1,), 2: (0.1, 0.7), 3: (0.1, 0.4, 0.7), 4: (0.1, 0.3, 0.5, 0.7)}


def paper(rows: str) -> Answer:
    """A page with these rows; '|' parts what stands beside each other, an empty piece leaves its place blank."""
    answer = Answer()
    for row in rows.strip().splitlines():
        pieces = [piece.strip() for piece in row.split("|")]
        held = [(piece, left) for piece, left in zip(pieces, PLACES[len(pieces)], strict=True) if piece]
        answer.row(*(piece for piece, _ in held), lefts=[left for _, left in held])
    return answer


@pytest.mark.parametrize(
    ("rows", "number", "day", "total"),
    [
        (
            """
            Muster GmbH
            Rechnung
            Rechnungs-Nr.: | 2024-0815
            Rechnungsdatum: | 05.03.2024
            Kundennummer: | 10023
            Lieferdatum | 01.03.2024
            Pos | Bezeichnung | Menge | Betrag
            1 | Ware | 2 | 100,00
            Zwischensumme (netto) | 100,00
            zzgl. 19 % MwSt. | 19,00
            Gesamtbetrag | 119,00 €
            """,
            "2024-0815", "2024-03-05", "119.00",
        ),
        (
            """
            Muster GmbH
            Rechnung RE-1001
            Datum: 05.03.2024 | Kunden-Nr. 4455
            Nettobetrag | 100,00 EUR
            Umsatzsteuer 19% | 19,00 EUR
            Rechnungsbetrag | 119,00 EUR
            """,
            "RE-1001", "2024-03-05", "119.00",
        ),
        (
            """
            Muster GmbH
            Musterstadt, 05.03.2024
            Rechnung Nr. 4455
            Bitte überweisen Sie bis zum 19.03.2024
            Summe netto | 100,00
            19% MwSt | 19,00
            Summe brutto | 119,00
            """,
            "4455", "2024-03-05", "119.00",
        ),
        (
            """
            Muster GmbH
            Rechnungsnr. | Kundennr. | Datum | Seite
            4455 | K-998 | 05.03.2024 | 1
            Gesamt netto | 100,00
            MwSt. 19,00 % | 19,00
            Endbetrag | 119,00
            """,
            "4455", "2024-03-05", "119.00",
        ),
        (
            """
            Rechnung
            Belegnummer | 4455
            Belegdatum | 05.03.2024
            Leistungszeitraum | 01.02.2024 - 29.02.2024
            Summe | 100,00
            USt. 19% | 19,00
            Zu zahlender Betrag | 119,00
            """,
            "4455", "2024-03-05", "119.00",
        ),
        (
            """
            Rechnung
            Unser Zeichen | abc
            Rechnung-Nr | R2024/55
            Rechnungs-/Lieferdatum | 05.03.2024
            Warenwert netto | Versand | MwSt 19% | Gesamtbetrag
            95,00 | 5,00 | 19,00 | 119,00
            """,
            "R2024/55", "2024-03-05", "119.00",
        ),
        (
            """
            Rechnung
            Rechnungs-Nr. 10234 vom 05.03.2024
            Gesamtpreis netto | 1.000,00 €
            zzgl. MwSt 19 % | 190,00 €
            Gesamtpreis brutto | 1.190,00 €
            """,
            "10234", "2024-03-05", "1190.00",
        ),
        (
            """
            Kunde 1 |  | Rechnungsnummer |
            Strasse 5 |  | 10234 |
            12345 Ort |  | Rechnungsdatum |
             |  | 05.03.2024 |
            Gesamtbetrag inkl. MwSt. | 119,00
            """,
            "10234", "2024-03-05", "119.00",
        ),
        (
            """
            Lieferant GmbH
            Rechnung
            Rechnungsnummer | 20190013
            Datum | 01.02.2019
            Gesamtsumme netto | 473,00
            Umsatzsteuer 7% | 19,25
            Umsatzsteuer 19% | 37,62
            Gesamtsumme | 529,87
            """,
            "20190013", "2019-02-01", "529.87",
        ),
        (
            """
            Rechnung
            Rechnungsnummer: 471102 | Datum: 5. März 2018
            Total netto EUR | 473,00
            MWST | 56,87
            Total EUR inkl. MWST | 529,87
            """,
            "471102", "2018-03-05", "529.87",
        ),
        (
            """
            Rechnung
            Rechnungsnummer: 471102 | Rechnungsdatum: 05.03.2018
            Gesamtsumme | 529,87
            Anzahlung | 100,00
            Restbetrag | 429,87
            """,
            "471102", "2018-03-05", "529.87",
        ),
        (
            """
            Stromrechnung
            Vertragskonto | 2000 1234 567
            Rechnungsnummer | 471102
            Datum | 05.03.2018
            Verbrauchszeitraum | 01.01.2017 - 31.12.2017
            Rechnungsbetrag | 529,87
            bereits bezahlte Abschläge | -500,00
            Nachzahlung | 29,87
            """,
            "471102", "2018-03-05", "529.87",
        ),
        (
            """
            Rechnung
            Nr. 471102
            Datum 05.03.2018
            Bruttobetrag | 529,87
            """,
            "471102", "2018-03-05", "529.87",
        ),
        (
            """
            Rechnung 471102
            05.03.2018
            Fällig: 19.03.2018
            Fälliger Betrag | 529,87 EUR
            """,
            "471102", "2018-03-05", "529.87",
        ),
        (
            """
            Au bon moulin
            FACTURE
            Numéro de facture | FA-2017-0010
            Date de facturation | 13/11/2017
            Total HT | 624,90
            Total TVA | 46,25
            Total TTC | 671,15
            Acompte | 201,00
            Net à payer | 470,15
            """,
            "FA-2017-0010", "2017-11-13", "671.15",
        ),
        (
            """
            Facture F20180027
            Date : 11/12/2018 | Échéance : 10/01/2019
            Sous-total HT | 100,00 €
            TVA 20 % | 20,00 €
            Montant total TTC | 120,00 €
            """,
            "F20180027", "2018-12-11", "120.00",
        ),
        (
            """
            Facture N° 2018-55
            Paris, le 11 décembre 2018
            Montant HT | 100,00
            TVA (20%) | 20,00
            À payer TTC | 120,00
            """,
            "2018-55", "2018-12-11", "120.00",
        ),
        (
            """
            N° facture | Date | N° client
            12345 | 11/12/2018 | C0098
            Total H.T. | 100,00
            T.V.A. | 20,00
            Total T.T.C. | 120,00
            """,
            "12345", "2018-12-11", "120.00",
        ),
        (
            """
            Facture
            Référence facture | FC123
            Date d'émission | 11/12/2018
            Date d'échéance | 11/01/2019
            Total HT | 1 000,00 €
            TVA | 200,00 €
            TOTAL | 1 200,00 €
            """,
            "FC123", "2018-12-11", "1200.00",
        ),
        (
            """
            FACTURE n°FC123 du 11/12/2018
            Date de livraison : 09/12/2018
            TOTAL HT | 1 000,00
            TOTAL TVA | 200,00
            TOTAL TTC | 1 200,00
            Montant dû | 1 200,00
            """,
            "FC123", "2018-12-11", "1200.00",
        ),
        (
            """
            Acme Ltd
            INVOICE
            Invoice # | INV-0042
            Issue date | 7 March 2026
            Due date | 21 March 2026
            Subtotal | 100.00
            GST (10%) | 10.00
            Amount Due (AUD) | 110.00
            """,
            "INV-0042", "2026-03-07", "110.00",
        ),
        (
            """
            Acme Ltd
            Invoice Number: 0042 | Invoice Date: 07/03/2026
            Customer Ref: 9981 | PO Number: 77123
            Total Net | 100.00
            VAT @ 10% | 10.00
            Total | 110.00
            """,
            "0042", "2026-03-07", "110.00",
        ),
        (
            """
            Acme Inc
            INVOICE
            Date: 03/31/2026
            Invoice: 9912
            For: Consulting
            Subtotal | $100.00
            Sales Tax | $10.00
            TOTAL | $110.00
            """,
            "9912", "2026-03-31", "110.00",
        ),
        (
            """
            Tax Invoice/Bill of Supply
            Order Number: 402-123 | Invoice Number: IN-9912
            Order Date: 29.03.2026 | Invoice Date: 31.03.2026
            TOTAL: | ₹10.00 | ₹110.00
            Amount in Words: One hundred ten
            """,
            "IN-9912", "2026-03-31", "110.00",
        ),
        (
            """
            Statement
            Account number | 1234567
            Invoice number | 9912
            Bill date | Mar 31, 2026
            Previous balance | 50.00
            Payments | -50.00
            New charges | 110.00
            Total amount due | 110.00
            """,
            "9912", "2026-03-31", "110.00",
        ),
        (
            """
            INVOICE 9912
            Invoiced on 31 Mar 2026
            Total before VAT | 100.00
            VAT | 10.00
            Invoice total | GBP 110.00
            Paid | 0.00
            """,
            "9912", "2026-03-31", "110.00",
        ),
        (
            """
            Bill To |  | Invoice No | 9912
            Jane |  | Date | 31/03/2026
            Street |  | Amount Due | $110.00
            Item | Qty | Rate | Amount
            Work | 1 | 110.00 | 110.00
             |  | Total | 110.00
            """,
            "9912", "2026-03-31", "110.00",
        ),
        (
            """
            FACTUUR
            Factuurnummer: | 2026-15
            Factuurdatum: | 03-03-2026
            Vervaldatum: | 17-03-2026
            Subtotaal | 100,00
            BTW 21% | 21,00
            Totaal te betalen | 121,00
            """,
            "2026-15", "2026-03-03", "121.00",
        ),
        (
            """
            Factuur 2026-15
            Datum | 3 maart 2026
            Totaal excl. btw | 100,00
            Btw | 21,00
            Totaal incl. btw | 121,00
            """,
            "2026-15", "2026-03-03", "121.00",
        ),
        (
            """
            FATTURA
            Numero fattura | 15
            Data fattura | 03/03/2026
            Imponibile | 100,00
            IVA 22% | 22,00
            Totale fattura | 122,00
            """,
            "15", "2026-03-03", "122.00",
        ),
        (
            """
            Fattura n. 15/A del 03/03/2026
            Totale imponibile | 100,00
            Totale IVA | 22,00
            Totale documento | 122,00
            """,
            "15/A", "2026-03-03", "122.00",
        ),
        (
            """
            FACTURA
            Nº de factura: | F-15
            Fecha de factura: | 03/03/2026
            Base imponible | 100,00
            IVA 21% | 21,00
            Total factura | 121,00
            """,
            "F-15", "2026-03-03", "121.00",
        ),
        (
            """
            Factura nº 15
            Fecha | 03/03/2026
            Subtotal | 100,00
            I.V.A. | 21,00
            TOTAL A PAGAR | 121,00
            """,
            "15", "2026-03-03", "121.00",
        ),
        (
            """
            Fatura n.º | 15
            Data | 03/03/2026
            Total líquido | 100,00
            IVA | 23,00
            Total a pagar | 123,00
            """,
            "15", "2026-03-03", "123.00",
        ),
        (
            """
            Lieferant GmbH |  | Rechnungsnummer: 471102 |
            Lieferantenstraße 20 |  | Kundennummer: GE2020211 |
            80333 München |  | Datum: 05.03.2018 |
             |  | Lieferdatum: 04.03.2018 |
            Gesamt | 473,00
            Umsatzsteuer | 56,87
            Gesamtbetrag | 529,87
            """,
            "471102", "2018-03-05", "529.87",
        ),
        (
            """
            Rechnung-Nr.: | 471102
            Vom: | 05.03.2018
            Netto | MwSt % | MwSt | Brutto
            275,00 | 7 | 19,25 | 294,25
            198,00 | 19 | 37,62 | 235,62
            Gesamt: | 473,00 | 56,87 | 529,87
            """,
            "471102", "2018-03-05", "529.87",
        ),
        (
            """
            Rechnung
            Rechnungs-Nr./Datum | 471102 / 05.03.2018
            Gesamtbetrag EUR | 529,87
            """,
            "471102", "2018-03-05", "529.87",
        ),
        (
            """
            Rechnung
            Rechnungsdatum | Fälligkeitsdatum
            05.03.2018 | 19.03.2018
            Rechnungsnummer | Kunde
            471102 | 88
            Summe | 529,87
            """,
            "471102", "2018-03-05", "529.87",
        ),
        (
            """
            CREDIT NOTE
            Credit Note Number | CN-12
            Credit Note Date | 03/03/2026
            Original invoice number | 9911
            Total | -55.00
            """,
            "CN-12", "2026-03-03", "-55.00",
        ),
        (
            """
            Gutschrift
            Gutschriftsnummer | G-12
            Gutschriftsdatum | 03.03.2026
            zu Rechnung | 9911
            Gesamtbetrag | 55,00
            """,
            "G-12", "2026-03-03", "55.00",
        ),
        (
            """
            Zaklad Poligraficzny
            Data wystawienia: 2021-03-17 | Data sprzedaży: 2021-03-16
            Faktura VAT nr FV/112/03/2021
            Razem | 900,00 | 207,00 | 1 107,00
            Do zapłaty: 1 107,00 zł
            """,
            "FV/112/03/2021", "2021-03-17", "1107.00",
        ),
        (
            """
            Harrow Energy | Your electricity bill
            Bill number | 550184377
            Bill date | 9 Jan 2019
            Balance on your last bill (10 Oct 2018) | £96.12
            Balance brought forward | £36.12
            Total new charges | £158.57
            Amount to pay | £194.69
            """,
            "550184377", "2019-01-09", "194.69",
        ),
        (
            """
            Brackett Hardware | INVOICE
            Invoice no. 0082214-IN | Invoice date: 10/17/2014
            Net order | 1,872.40
            Freight | 64.15
            Invoice total | 1,936.55
            Less deposit | 500.00
            Balance due | 1,436.55
            """,
            "0082214-IN", "2014-10-17", "1936.55",
        ),
        (
            """
            Corvane Finance
            Invoice | Invoice date | Due date
            9004417725 | 05/11/2018 | 06/01/2018
            STONEHAM MA 02180
            Total current charges | 474.91
            Total amount due | $687.31
            """,
            "9004417725", "2018-05-11", "687.31",
        ),
        (
            """
            Pekárna Dva s.r.o. | FAKTURA - DAŇOVÝ DOKLAD č. 1220300471
            Datum vystavení: | 14.3.2022
            Datum uskut. zdan. plnění: | 11.3.2022
            Datum splatnosti: | 28.3.2022
            Celkem bez DPH | 12 250,00
            DPH 15 % | 1 837,50
            CELKEM K ÚHRADĚ | 14 087,50 Kč
            """,
            "1220300471", "2022-03-14", "14087.50",
        ),
        (
            """
            Javítóműhely Kft. | SZÁMLA | Sorszám: KV-2020/001183
            Teljesítés kelte | Számla kelte | Fizetési határidő
            2020.09.01. | 2020.09.04. | 2020.09.12.
            Nettó összesen | 148 000
            Áfa 27 % | 39 960
            Fizetendő végösszeg: | 187 960 Ft
            """,
            "KV-2020/001183", "2020-09-04", "187960.00",
        ),
        (
            """
            Čebelarstvo Gora s.p.
            Račun št. | 2017-P1-384
            Datum dobave | 20.10.2017
            Datum računa | 23.10.2017
            Rok plačila | 22.11.2017
            Skupaj brez DDV | 838,20
            Skupaj DDV | 109,06
            ZA PLAČILO EUR | 947,26
            """,
            "2017-P1-384", "2017-10-23", "947.26",
        ),
        (
            """
            Konehuolto Oy | LASKU
            Laskun numero | 20104417
            Päiväys | 7.12.2010
            Eräpäivä | 21.12.2010
            Veroton yhteensä | 825,10
            Arvonlisävero 23 % | 189,77
            Maksettava yhteensä EUR | 1014,87
            """,
            "20104417", "2010-12-07", "1014.87",
        ),
        (
            """
            Hexapode SAS | FACTURE
            n°FR-HX-2021-0093348
            Date d'émission | 02/11/2021
            Payable le | 17/11/2021
            Total HT | 237,75 €
            TVA 20 % | 47,55 €
            Total TTC | 285,30 €
            """,
            "FR-HX-2021-0093348", "2021-11-02", "285.30",
        ),
        (
            """
            Rete Vallata S.p.A.
            Fattura n. | A/2020/018834
            del | 01/10/2020
            Data di scadenza | 21/10/2020
            Ultima fattura: A/2020/014407 del 01/08/2020, € 68,40.
            Totale imponibile | 59,19
            IVA 22% | 13,02
            Totale da pagare | € 72,21
            """,
            "A/2020/018834", "2020-10-01", "72.21",
        ),
        (
            """
            Valley Broadcasting Co.
            INVOICE NO. | INVOICE DATE
            1173 | 2/29/72
            Gross billing | 314.40
            Less agency comm. 15% | -47.16
            NET AMOUNT OF INVOICE | $267.24
            """,
            "1173", "1972-02-29", "267.24",
        ),
        (
            """
            Dachdeckermeister Halm
            Schlussrechnung 2015-067 | Ort, den 08.10.2015
            Angebot Nr. 2015-012 vom 19.02.2015
            Nettosumme | 17.297,00
            zzgl. 19 % MwSt. | 3.286,43
            Rechnungssumme brutto | 20.583,43
            """,
            "2015-067", "2015-10-08", "20583.43",
        ),
        (
            """
            Stolarnia Leśna | Faktura VAT nr FV/118/11/2022
            Data wystawienia | 07.11.2022
            Netto | 17 790,00
            VAT | 2 200,00
            Razem | 19 990,00 | 4 267,70 | 24 257,70
            Do zapłaty: 24 257,70 PLN
            """,
            "FV/118/11/2022", "2022-11-07", "24257.70",
        ),
        (
            """
            Hermanos Alcornoque, S.L. | FACTURA
            Nº Factura | Fecha | Cód. cliente
            A/22/003318 | 31/05/2022 | 430.0771
            Base imponible | 1.187,60
            IVA | 120,89
            TOTAL FACTURA | 1.308,49 €
            """,
            "A/22/003318", "2022-05-31", "1308.49",
        ),
        (
            """
            Kod Sp. z o.o. | Faktura
            | 12/08/2025/K
            Data wystawienia | Data sprzedaży | Termin płatności
            31 sierpnia 2025 | 31 sierpnia 2025 | 14 września 2025
            Razem netto | 11 360,00 zł
            VAT 23% | 2 612,80 zł
            Razem brutto | 13 972,80 zł
            """,
            "12/08/2025/K", "2025-08-31", "13972.80",
        ),
        (
            """
            Harrow & Leaf Chartered Accountants
            Our ref | DW/cs/W114
            Fee note | 11890
            Date | 29 January 2025
            Net | 1,000.00
            VAT | 200.00
            Total | 1,200.00
            """,
            "11890", "2025-01-29", "1200.00",
        ),
    ],
)  # fmt: skip
def test_an_invoice_says_its_number_day_and_total(rows: str, number: str, day: str, total: str) -> None:
    read = paper(rows).read(shipped("invoice"))
    found = tuple(field(read, name).value for name in ("invoice_number", "invoice_date", "total"))
    assert found == (number, day, total)


@pytest.mark.parametrize(
    ("rows", "day", "total"),
    [
        (
            """
            DATE : 05/03/2018 12:30
            NASI | 8.93
            TOTAL | 8.93
            ROUNDING ADJ | -0.03
            TOTAL ROUNDED | 8.90
            CASH | 10.00
            CHANGE | 1.10
            """,
            "2018-03-05", "8.90",
        ),
        (
            """
            05/03/2018 12:30
            NASI | 8.93
            TOTAL | 8.93
            ROUNDING | -0.03
            NETT | 8.90
            CASH | 10.00
            CHANGE | 1.10
            """,
            "2018-03-05", "8.90",
        ),
        (
            """
            05-03-18
            Sub Total | 8.42
            GST 6% | 0.51
            Total | 8.93
            Rounding Adj. | -0.03
            Amount Due | 8.90
            Cash | 50.00
            Change | 41.10
            """,
            "2018-03-05", "8.90",
        ),
        (
            """
            05 MAR 2018
            TOTAL SALES INCL GST | 8.93
            ROUNDING ADJ | 0.03-
            TOTAL AFTER ADJ | 8.90
            VISA | 8.90
            """,
            "2018-03-05", "8.90",
        ),
        (
            """
            05 MAR 2018
            SUBTOTAL | 8.93
            ROUNDING | -0.03
            TOTAL | 8.90
            CASH | 8.90
            """,
            "2018-03-05", "8.90",
        ),
        (
            """
            Date: 05/03/2018
            Total Excl. GST | 8.42
            GST | 0.51
            Total Incl. GST | 8.93
            Rounding | -0.03
            Total Payable | 8.90
            Paid Amount | 20.00
            Change | 11.10
            """,
            "2018-03-05", "8.90",
        ),
        (
            """
            Date: 05/03/2018
            Total Sales (Inclusive of GST) | 8.93
            Rounding Adjustment | -0.03
            Final Total | 8.90
            """,
            "2018-03-05", "8.90",
        ),
        (
            """
            Date: 05/03/2018
            Total | 8.93
            Round Off | -0.03
            Net Payable | 8.90
            Cash | 9.00
            Balance | 0.10
            """,
            "2018-03-05", "8.90",
        ),
        (
            """
            Date: 05/03/2018
            Total (RM) | 80.93
            Rounding (RM) | -0.03
            Grand Total (RM) | 80.90
            Cash (RM) | 100.00
            Change (RM) | 19.10
            GST Summary | Amount(RM) | Tax(RM)
            SR 6% | 76.35 | 4.58
            """,
            "2018-03-05", "80.90",
        ),
        (
            """
            Date: 05/03/2018
            Total | 21.20
            GST Summary
            Code | Amount | Tax
            SR | 20.00 | 1.20
            Total | 20.00 | 1.20
            """,
            "2018-03-05", "21.20",
        ),
        (
            """
            Date: 05/03/2018
            ITEM | QTY | PRICE | AMOUNT
            X | 2 | 10.60 | 21.20
            Total Qty: 2 | 21.20
            CASH | 50.00
            CHANGE | 28.80
            """,
            "2018-03-05", "21.20",
        ),
        (
            """
            Tarikh: 05/03/2018
            JUMLAH | 21.20
            TUNAI | 50.00
            BAKI | 28.80
            """,
            "2018-03-05", "21.20",
        ),
        (
            """
            Date: 05/03/2018
            TOTAL | RM21.20
            CASH | RM50.00
            """,
            "2018-03-05", "21.20",
        ),
        (
            """
            Date: 05/03/2018
            TOTAL | RM | 21.20
            CASH | RM | 50.00
            """,
            "2018-03-05", "21.20",
        ),
        (
            """
            Date: 05/03/2018
            TOTAL : RM 21.20
            CASH : RM 50.00
            CHANGE : RM 28.80
            """,
            "2018-03-05", "21.20",
        ),
        (
            """
            Date: 05/03/2018
            TOTAL
            RM 21.20
            CASH
            RM 50.00
            """,
            "2018-03-05", "21.20",
        ),
        (
            """
            Date: 05/03/2018
            SUBTOTAL | 20.00
            SERVICE CHARGE 10% | 0.00
            GST | 1.20
            BILL TOTAL | 21.20
            MASTERCARD | 21.20
            """,
            "2018-03-05", "21.20",
        ),
        (
            """
            Date: 05/03/2018
            TOTAL AMOUNT | 21.00
            DISCOUNT | -2.00
            NET TOTAL | 19.00
            CASH | 19.00
            """,
            "2018-03-05", "19.00",
        ),
        (
            """
            Date: 05/03/2018
            SUB TOTAL | 21.00
            DISC | -2.00
            TOTAL | 19.00
            TOTAL SAVINGS | 2.00
            """,
            "2018-03-05", "19.00",
        ),
        (
            """
            Date: 05/03/2018
            TOTAL 3 ITEMS 19.00
            CASH 20.00
            """,
            "2018-03-05", "19.00",
        ),
        (
            """
            Date: 05/03/2018
            AMOUNT | 19.00
            PAID | 20.00
            CHANGE | 1.00
            """,
            "2018-03-05", "19.00",
        ),
        (
            """
            Date: 05/03/2018
            Total Amount (Incl GST) | 60.30
            Total GST | 3.41
            Total Amount (Excl GST) | 56.89
            """,
            "2018-03-05", "60.30",
        ),
        (
            """
            05/03/18 08:00
            PUMP 3
            30.15 L | @2.00
            TOTAL RM | 60.00
            DEBIT | 60.00
            """,
            "2018-03-05", "60.00",
        ),
        (
            """
            TAX INVOICE
            INV NO: CS-1801-10
            DATE: 05/03/2018
            DUE DATE: 05/04/2018
            Total Sale (Excluding GST) | 950.00
            Total GST | 57.00
            Total (Inclusive GST) | 1,007.00
            """,
            "2018-03-05", "1007.00",
        ),
        (
            """
            MON 05-03-2018 13:00
            TOTAL | 5.00
            """,
            "2018-03-05", "5.00",
        ),
        (
            """
            5 MAR 2018 1:00PM
            TOTAL | 5.00
            """,
            "2018-03-05", "5.00",
        ),
        (
            """
            GST ID: 001234567890 DATE:20180305
            TOTAL | 5.00
            """,
            "2018-03-05", "5.00",
        ),
        (
            """
            2018-03-05 13:00:01
            TOTAL | 5.00
            """,
            "2018-03-05", "5.00",
        ),
        (
            """
            Mar 5, 2018
            TOTAL | 5.00
            """,
            "2018-03-05", "5.00",
        ),
        (
            """
            05.03.2018
            TOTAL | 5.00
            """,
            "2018-03-05", "5.00",
        ),
        (
            """
            DATE: 05/03/2018TIME:12:20
            TOTAL | 5.00
            """,
            "2018-03-05", "5.00",
        ),
        (
            """
            05MAR2018 12:20
            TOTAL | 5.00
            """,
            "2018-03-05", "5.00",
        ),
        (
            """
            DATE: 05/03 /2018
            TOTAL | 5.00
            """,
            "2018-03-05", "5.00",
        ),
        (
            """
            DATE: 05/O3/2018
            TOTAL | 5.00
            """,
            "2018-03-05", "5.00",
        ),
        (
            """
            05-Mar-18
            TOTAL | 5.00
            """,
            "2018-03-05", "5.00",
        ),
        (
            """
            05/MAR/2018
            TOTAL | 5.00
            """,
            "2018-03-05", "5.00",
        ),
        (
            """
            VISI TERANG OPTIK (M) SDN. BHD.
            Order Date 23.03.2019 | Collect 30.03.2019
            TOTAL | RM459.00
            Deposit (Master) | RM200.00
            BALANCE DUE | RM259.00
            """,
            "2019-03-23", "459.00",
        ),
        (
            """
            LAYAR PERDANA CINEMAS SDN BHD
            WED 01 MAY 2019 09:40 PM
            EXP DATE: 02/05/2019 (F&B)
            TOTAL (MYR) | 51.00
            """,
            "2019-05-01", "51.00",
        ),
        (
            """
            Sklep Malwa
            19.05.2018
            SPRZEDAZ OPODATKOWANA A | 58,47
            PTU A 23,00% | 10,93
            SUMA PLN | 58,47
            Gotowka | 100,00
            Reszta | 41,53
            """,
            "2018-05-19", "58.47",
        ),
        (
            """
            Bar Santa
            19.05.2018
            SUBTOTALE | 16,70
            TOTALE EURO | 16,70
            CONTANTE | 20,00
            RESTO | 3,30
            """,
            "2018-05-19", "16.70",
        ),
        (
            """
            Groene Winkel
            19.05.2018
            Subtotaal | 21,92
            Afronding | -0,02
            TE BETALEN | 21,90
            Contant | 50,00
            Terug | 28,10
            """,
            "2018-05-19", "21.90",
        ),
        (
            """
            Pharmacie
            19.05.2018
            TOTAL TTC | 25,55
            Part mutuelle | -13,21
            RESTE A PAYER (EUR) | 12,34
            Carte bancaire | 12,34
            """,
            "2018-05-19", "12.34",
        ),
        (
            """
            Date in: 29/09/2017 | Date: 02/10/2017
            Gross Total | 489.00
            Promo Less | (89.00)
            NETT PAYABLE RM | 400.00
            Paid: Voucher | 100.00
            Paid: Visa 7710 | 300.00
            """,
            "2017-10-02", "400.00",
        ),
        (
            """
            Dt. 09/08/2017 20:15
            MRP Total | 351.63
            Less Disc 5% | -17.58
            R/off | -0.05
            NET AMT Rs. | 334.00
            """,
            "2017-08-09", "334.00",
        ),
        (
            """
            Sat, 30 September 2017 2:15PM
            Total | 177.00
            Package credit used | -29.00
            To Pay | RM148.00
            Online transfer | 148.00
            """,
            "2017-09-30", "148.00",
        ),
    ],
)  # fmt: skip
def test_a_receipt_says_its_day_and_its_total(rows: str, day: str, total: str) -> None:
    read = paper("Green Leaf\n12, Jalan Besar\n" + rows.strip()).read(shipped("receipt"))
    assert tuple(field(read, name).value for name in ("date", "total")) == (day, total)
