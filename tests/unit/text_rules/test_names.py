import pytest

from registry.text.rules.names import MAX_NAME, name_problem
from tests.unit.text_rules.people import problems_of, whole

REAL_NAMES = (
    """
nil|null|Null|None|undefined|True|NaN|Test|root|O'Neil|O’Neill-Śliwa|St. John|Ōtani|d'Arc|D’Angelo
't Hooft|’s-Gravesande
van der Berg|de la Cruz|Nguyen-Vo|Mary Ann|J.|Jr.|King, Jr.|Robert (Bob)|A/L Kumar|a/l Raman|Xi|O|Ng|X Æ A-Xii
Jennifer 8.|3rd Sample|Þórðarson|Åström|Çelik|İnönü|Ştefan|Łukasz|Žižek|Ľuboš|Őry|Ñuñez|Ðorđević|Ħasan|Ĳsbrand|ß
Gal·la|Núñez i Ràfols|Keʻalohilani|Kaʻiulani|ʻAkahi|O`Brien|O´Brien|O‘Brien|Smith–Jones|Smith‐Jones
Μαρία|Παπαδόπουλος|Наталья|Щербаков|Ґалаґан|Ђоковић|Սարգսյան|Օ՚Նիլ|გიორგი
יוסף|בן־דוד|ג׳ורג׳|צה״ל|محمد|عبد الله|مُحَمَّد|فرهادی|سید علی‌رضا|کۆچەر
नेहा|श्रीमती|क्‍षत्रिय|ਹਰਪ੍ਰੀਤ|প্রিয়াঙ্কা|ગાંધી|இளங்கோ|లక్ష్మి|ಕೃಷ್ಣ|മോഹന്‍|ශ්‍රීලාල්|สมชาย|วงศ์สุวรรณ|ລາວ|བསྟན་འཛིན
မောင်|សុខា|አበበ|ሙሉ፡ገታ|ᏣᎳᎩ|ᐃᓄᒃ|ꆈꌠ|ᠮᠣᠩᠭᠣᠯ
김|민수|남궁|王|小明|歐陽|山田　太郎|佐々木|ジョン・スミス|ｼﾞｮﾝ|さくら|葛󠄀城|〇田|阿布都热合曼·吐尔逊
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@pytest.mark.parametrize("name", [*REAL_NAMES, "Zoe\u0308", "Nguye\u0302\u0303n", "\U00030000", "é" * MAX_NAME])
def test_real_names_are_taken_and_kept(name):
    assert name_problem(name) is None
    document = whole()
    document["family_name"] = name
    document["family"][1]["given_name"] = name
    assert problems_of(document) == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("<b>Rowan</b>", "name_character"),
        ("Rowan<", "name_character"),
        ("{{7*7}}", "name_character"),
        ("{Rowan}", "name_character"),
        ("${jndi:ldap://h/x}", "name_character"),
        ("Robert'); DROP TABLE people;--", "name_character"),
        ('Rob "Bob"', "name_character"),
        ("=Rowan", "name_character"),
        ("+Rowan", "name_character"),
        ("-Rowan", "name_character"),
        ("@Rowan", "name_character"),
        ("a@example.org", "name_character"),
        ("-Śliwa", "name_character"),
        ("–Śliwa", "name_character"),
        (".Rowan", "name_character"),
        ("/etc", "name_character"),
        ("Rowan\\", "name_character"),
        ("Rowan|", "name_character"),
        ("Rowan_", "name_character"),
        ("Rowan#1", "name_character"),
        ("Rowan 100%", "name_character"),
        ("Rowan 😀", "name_character"),
        ("Rowan™", "name_character"),
        ("Ｒowan＝", "name_character"),
        ("Rowan\u2003Marlow", "name_character"),
        ("₀₁₂", "name_character"),
        ("٣", "name_character"),
        ("Ⅷ", "name_character"),
        ("123", "no_letter"),
        ("'", "no_letter"),
        ("(1)", "no_letter"),
        ("’・’", "no_letter"),
        ("--", "name_character"),
        ("Row\x00an", "control_character"),
        ("Row\nan", "control_character"),
        ("Row\x1b]0;x\x07an", "control_character"),
        ("Ö\r\nan", "control_character"),
        ("\u202eRowan", "bidi_control"),
        ("Ro\u200dwan", "joiner"),
        ("Ro\u200cwan", "joiner"),
        ("Ro\u034fwan", "invisible_character"),
        ("Ro\u00adwan", "invisible_character"),
        ("Rowan\ufdd0", "noncharacter"),
        ("Rowan\udbff", "lone_surrogate"),
        ("Rowan\ue000", "private_use"),
        ("Z\u032e\u031e\u0320\u0359\u0354\u0345a", "too_many_marks"),
        ("\u0301", "stray_mark"),
        (" Rowan", "surrounding_space"),
        ("Rowan ", "surrounding_space"),
        ("Rowan\u3000", "surrounding_space"),
        ("  ", "empty"),
        ("R" * (MAX_NAME + 1), "too_long"),
        ("e\u0301" * 51, "too_long"),
    ],
)
def test_what_no_name_holds(name, code):
    assert name_problem(name) == code
    document = whole()
    document["given_name"] = name
    assert problems_of(document) == [("/given_name", code)]


@pytest.mark.parametrize("present", ["given_name", "family_name"])
def test_a_single_name_is_enough(present):
    document = whole()
    del document[{"given_name": "family_name", "family_name": "given_name"}[present]]
    del document["family"][0][present]
    assert problems_of(document) == []


def test_but_no_name_is_not():
    document = whole()
    del document["given_name"], document["family_name"]
    del document["family"][1]["given_name"], document["family"][1]["family_name"]
    assert problems_of(document) == [("/family_name", "missing"), ("/family/1/family_name", "missing")]
