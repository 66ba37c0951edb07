"""The script of a character according to Unicode 9, the version of SentencePiece's table."""

import functools

import regex

# The most frequent first, because the pattern tries them in this order. Scripts added after Unicode
# 9 are omitted.
_NAMES = (
    "Latin Common Han Cyrillic Greek Arabic Hebrew Devanagari Hangul Hiragana Katakana Thai "
    "Inherited Armenian Georgian Bengali Tamil Telugu Gujarati Gurmukhi Kannada Malayalam Oriya "
    "Sinhala Thaana Lao Tibetan Myanmar Ethiopic Cherokee Canadian_Aboriginal Ogham Runic Khmer "
    "Mongolian Adlam Ahom Anatolian_Hieroglyphs Avestan Balinese Bamum Bassa_Vah Batak Bhaiksuki "
    "Bopomofo Brahmi Braille Buginese Buhid Carian Caucasian_Albanian Chakma Cham Coptic "
    "Cuneiform Cypriot Deseret Duployan Egyptian_Hieroglyphs Elbasan Glagolitic Gothic Grantha "
    "Hanunoo Hatran Imperial_Aramaic Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi "
    "Kayah_Li Kharoshthi Khojki Khudawadi Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian "
    "Mahajani Mandaic Manichaean Marchen Meetei_Mayek Mende_Kikakui Meroitic_Cursive "
    "Meroitic_Hieroglyphs Miao Modi Mro Multani Nabataean New_Tai_Lue Newa Nko Ol_Chiki "
    "Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_South_Arabian "
    "Old_Turkic Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician "
    "Psalter_Pahlavi Rejang Samaritan Saurashtra Sharada Shavian Siddham SignWriting Sora_Sompeng "
    "Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tangut "
    "Tifinagh Tirhuta Ugaritic Vai Warang_Citi Yi"
)
NAMES = _NAMES.split()

# Code points that later versions of Unicode assigned to one of these scripts, in hexadecimal.
LATER = (
    "558 560 588-589 58B-58C 5C8-5C9 5EF 61C-61D 7FD-7FF 860-89F 8B5 8BE-8D3 9FC-9FE A76 AFA-AFF "
    "B53-B55 C04 C3C C5C-C5D C77 C84 CDC-CDD CF3-D00 D04 D3B-D3C D81 E86 E89 E8C E8E-E93 E98 EA0 "
    "EA8-EA9 EAC EBA ECE 170D 1715-171F 180F 1878 1ABF-1AF0 1B4C-1B4F 1B7D-1B7F 1C89-1CBF "
    "1DF6-1DFA 209D-209F 2C2F 2C5F 312E-312F 31BB-31BF 4DB6-4DBF 9FD6-9FFF A7AF A7B8-A7F6 A82C "
    "A8FE-A8FF AB66-AB6D FBC2-FBD2 FD40-FD4F FD90-FD91 FDC8-FDCF FDFE-FDFF 1032D-1032F "
    "10780-107BF 10A34-10A35 10A48 10EC2-10EFF 11070-11075 110C2-110CD 11144-11147 111CE-111CF "
    "1123F-11241 1133B 1145A 1145E-11461 116B8-116B9 116D0-116E3 1171A 11740-11746 11AB0-11ABF "
    "11B00-11B67 11DF0-11FFF 1246F 12475-1247F 12550-12686 1342F-143FA 16F45-16F4F 16F7F-16F87 "
    "16FE2-16FF6 187ED-187FF 18AF3-1AFFE 1B002-1B168 1CF00-1D128 1D25B-1D25C 1DF00-1DFFF "
    "1E030-1E7FE 1E94B 2A6D7-2A6DF 2B735-2B73F 2B81E 2CEA2-2F7FF 30000-3FFFF"
)
# Later versions treat these as accents for all scripts.
OTHER_THEN = dict.fromkeys("\u0953\u0954", "Devanagari")


@functools.lru_cache(maxsize=1)
def _pattern() -> regex.Pattern[str]:
    ranges = [[rf"\U{bound:0>8}" for bound in codes.split("-")] for codes in LATER.split()]
    later = "".join("-".join(bounds) for bounds in ranges)
    return regex.compile(
        f"(?![{later}])(?:" + "|".join(rf"(\p{{Script={name}}})" for name in NAMES) + ")"
    )


@functools.lru_cache(maxsize=1 << 16)
def script(character: str) -> str:
    """Returns a character's script; "Common" for signs, digits and characters without a script.

    >>> script("ж"), script("7")
    ('Cyrillic', 'Common')
    """
    if character in OTHER_THEN:
        return OTHER_THEN[character]
    match = _pattern().match(character)
    return NAMES[match.lastindex - 1] if match and match.lastindex else "Common"
