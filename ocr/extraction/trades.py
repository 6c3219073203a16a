"""What shops are, in the words that say nothing of how they are called: 'Bäckerei Konditorei', 'Car Care & Detailing'."""

from __future__ import annotations

import re
from functools import lru_cache

from ocr.extraction.labels import squash

_ENGLISH = """
    accessories air aluminium antiques appliances auto automobile bakery ball bar barber barbers batteries battery beauty
    bicycle bistro book books bookshop bookstore boutique bread butcher butchers cafe cake cakes camera canteen car care cars
    carwash catering center centre chicken cleaners cleaning clinic clothing coffee cold collection computer computers
    conditioning confectionery cosmetics craft crafts cream cuisine curry cycle cycles dealer dealers decor deli dental
    detailing drinks dry electric electrical electronic electronics eyewear fabrics fashion filling fish fishball florist
    florists flower flowers food foods footwear fried frozen fruit fruits furniture garage garments general gift gifts glass
    gold goldsmith goods grill grocer grocers grocery hair hairdressing hall hardware health herbal home hotel house household
    ice inn interior jewellers jewellery jewelry juice kitchen laundrette laundry leather lighting liquor machinery market
    mart massage materials meat medical mee merchant merchants mini minimarket mobile motor motors music newsagency newsagent
    noodle noodles nursery optical opticians optometrists organic paint paints paper parking parts party pastries pastry pet
    petrol pharmacy phone phones photo photocopy pizza plumbing polish post print printing provision provisions pub
    repair repairs restaurant rice roast salon sanitary seafood service services shoe shoes shop shops snack spa spare
    spices sport sports stall station stationers stationery steamboat store stores studio sundry supermarket supplies supply
    sweets tailor tailoring tailors tea tearoom tearooms telecom textile textiles tiles timber tools toys trading travel
    tuition tyre tyres used vegetable vegetables vegetarian video wash watch watches wholesale wine wines workshop
"""
_MALAY = """
    air alat alatan ayam bahan baiki barang bateri bengkel bimbit binaan borong buah buku bunga butik cermin cuci dalam diri
    dobi elektrik elektronik emas farmasi gambar gerai gunting haiwan hiasan ikan jahit jualan kain kantin kasut kedai kek
    kereta klinik komputer kopi kosmetik laut layan lembu makan makanan mata mee mini minuman minyak motor motosikal nasi neka
    optik pakaian pasar pasaraya pejabat perabot peralatan percetakan perhiasan perkhidmatan perniagaan perusahaan pusat
    rambut restoran roti rumah runcit sayur serba serbaguna serbaneka stesen sukan tangga tayar telefon tomyam tudung tulis
    ubat wangi warung
"""
_EUROPEAN = """
    alimentari apotheek apotheke apteka backerei backstube bakkerij bloemist blumen bodega boekhandel boucherie boulangerie
    brasserie brauhaus buchhandlung cafeteria caffe carniceria cartoleria charcuterie creperie cukiernia delikatesy drogeria
    drogerie edicola eetcafe eiscafe epicerie farmacia ferramenta ferreteria fleischerei fleuriste friseur fromagerie fruteria
    gasthaus gasthof gaststatte gelateria imbiss kiosk konditorei ksiegarnia kwiaciarnia landmetzgerei lavanderia librairie
    libreria macelleria mercearia metzgerei osteria padaria panaderia panificio papeleria pasteleria pasticceria patisserie
    pescaderia pharmacie piekarnia pizzeria poissonnerie restaurante ristorante salumeria schreibwaren sklep slagerij tabac
    tabaccheria tabacchi taberna talho traiteur trattoria weingut weinstube wirtshaus
"""
# Words between them.
_BETWEEN = "and et und e y dan n of the de da do di del la le les el der die das m fh"
_WORDS = frozenset(squash(word) for word in f"{_ENGLISH} {_MALAY} {_EUROPEAN}".split())
_SMALL = frozenset(squash(word) for word in _BETWEEN.split())
_LETTERS = re.compile(r"[^\W\d_]+")
_MOST_WORDS = 6
_SIGN = re.compile(r"[-•·|*]")
# 'Lighting - Wiring - Fans'
_LISTED = re.compile(r"[^\W\d_]{3,}(?: [^\W\d_]+)?(?:(?:\s[-*]\s|\s?[•·|]\s?)[^\W\d_]{3,}(?: [^\W\d_]+)?){2,}")


@lru_cache(maxsize=512)
def says_only_what_it_is(text: str) -> bool:
    """Whether a row says nothing but what a shop is."""
    words = [squash(word) for word in _LETTERS.findall(text[:100])]
    if not 0 < len(words) <= _MOST_WORDS or any(map(str.isdigit, text)):
        return False
    return not set(words) <= _SMALL and all(word in _WORDS or word in _SMALL for word in words)


def lists_wares(text: str) -> bool:
    """Whether a row lists what a shop sells: 'Lighting - Wiring - Fans'."""
    return _SIGN.search(text) is not None and _LISTED.fullmatch(text[:100].strip(" *-")) is not None
