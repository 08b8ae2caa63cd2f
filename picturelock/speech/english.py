"""What English writers write beside words, and how it is said: the tables of `picturelock.speech.spoken_forms`."""

from typing import Final

SCALES: Final = {
    "k": "thousand", "K": "thousand", "m": "million", "M": "million", "mn": "million", "mio": "million",
    "b": "billion", "B": "billion", "bn": "billion", "Bn": "billion", "tn": "trillion", "T": "trillion",
    "thousand": "thousand", "million": "million", "billion": "billion", "trillion": "trillion",
}  # fmt: skip
CURRENCIES: Final = {
    "$": ("dollar", "dollars"), "US$": ("U.S. dollar", "U.S. dollars"),
    "A$": ("Australian dollar", "Australian dollars"),
    "C$": ("Canadian dollar", "Canadian dollars"), "€": ("euro", "euros"), "£": ("pound", "pounds"),
    "¥": ("yen", "yen"), "₹": ("rupee", "rupees"), "₩": ("won", "won"), "₽": ("ruble", "rubles"),
    "CHF": ("Swiss franc", "Swiss francs"), "USD": ("U.S. dollar", "U.S. dollars"), "EUR": ("euro", "euros"),
    "GBP": ("pound", "pounds"), "JPY": ("yen", "yen"),
}  # fmt: skip
CENTS: Final = {"$": "cents", "US$": "cents", "€": "cents", "£": "pence"}
UNITS: Final = {
    "km": "kilometer", "m": "meter", "cm": "centimeter", "mm": "millimeter", "µm": "micrometer", "nm": "nanometer",
    "kg": "kilogram", "g": "gram", "mg": "milligram", "µg": "microgram", "l": "liter", "L": "liter",
    "ml": "milliliter", "mL": "milliliter", "ms": "millisecond", "µs": "microsecond", "ns": "nanosecond",
    "kWh": "kilowatt hour", "MWh": "megawatt hour", "GWh": "gigawatt hour", "TWh": "terawatt hour", "Wh": "watt hour",
    "kW": "kilowatt", "MW": "megawatt", "GW": "gigawatt", "TW": "terawatt", "W": "watt", "mW": "milliwatt",
    "mAh": "milliamp hour", "Ah": "amp hour", "mA": "milliamp", "V": "volt", "kV": "kilovolt", "mV": "millivolt",
    "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz", "THz": "terahertz", "Hz": "hertz",
    "kB": "kilobyte", "KB": "kilobyte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte", "PB": "petabyte",
    "KiB": "kibibyte", "MiB": "mebibyte", "GiB": "gibibyte", "dB": "decibel", "hPa": "hectopascal",
    "kPa": "kilopascal",
    "Pa": "pascal", "kJ": "kilojoule", "MJ": "megajoule", "kcal": "kilocalorie", "kN": "kilonewton", "ha": "hectare",
    "ft": "foot", "lb": "pound", "lbs": "pound", "oz": "ounce", "mi": "mile", "px": "pixel", "Ω": "ohm",
    "kΩ": "kiloohm",
    "Mbit": "megabit", "Gbit": "gigabit", "kbit": "kilobit", "Mbps": "megabit per second",
    "Gbps": "gigabit per second",
    "mph": "mile per hour", "rpm": "revolution per minute", "fps": "frame per second", "min": "minute", "h": "hour",
    "°C": "degree Celsius", "°F": "degree Fahrenheit", "°": "degree", "s": "second",
}  # fmt: skip
PER: Final = {"h": "hour", "s": "second", "min": "minute", "l": "liter", "kg": "kilogram", "m": "meter", "day": "day"}
SAME_IN_PLURAL: Final = ("hertz",)
SAID: Final[dict[str, str]] = {
    "AWS": "eh W S", "BIOS": "bye oss", "JSON": "Jason", "YAML": "yammel", "TOML": "tommel", "JPG": "jay peg",
    "NaN": "nan", "SQLite": "sequel light", "NoSQL": "no sequel",
    "PostgreSQL": "postgres", "nginx": "engine ex", "C#": "C sharp", "F#": "F sharp",
    "C++": "C plus plus", ".NET": "dot net", "Node.js": "node J S", "CO₂": "C O two", "CO2": "C O two",
    "H₂O": "H two O", "H2O": "H two O", "O₂": "O two", "N₂": "N two", "CH₄": "C H four", "IPv4": "I P version 4",
    "IPv6": "I P version 6", "GitHub": "git hub", "macOS": "mac O S", "CI/CD": "C I C D", "TCP/IP": "T C P I P",
    "and/or": "and or", "I/O": "I O", "w/o": "without",
    "Kubernetes": "koo-ber-net-eez", "kubectl": "koob control", "PyPI": "pie P I",
    "GHz": "gigahertz", "MHz": "megahertz", "kHz": "kilohertz", "kWh": "kilowatt hours", "mAh": "milliamp hours",
    "IoT": "I O T", "k8s": "koo-ber-net-eez", "i18n": "internationalization",
}  # fmt: skip
SHORT: Final[dict[str, str]] = {
    "e.g.": "for example", "i.e.": "that is", "vs.": "versus", "approx.": "approximately", "etc.": "et cetera",
    "Dr.": "Doctor", "Mr.": "Mister", "Mrs.": "Missus", "Prof.": "Professor", "Gen.": "General", "Capt.": "Captain",
    "Lt.": "Lieutenant", "Sen.": "Senator", "Gov.": "Governor", "Mt.": "Mount", "Ft.": "Fort", "ca.": "about",
    "cf.": "compare", "incl.": "including", "excl.": "excluding", "Jr.": "Junior", "Sr.": "Senior",
    "Inc.": "Incorporated",
    "Ltd.": "Limited", "Corp.": "Corporation", "Co.": "Company", "dept.": "department", "w/": "with",
}  # fmt: skip
NUMBERED: Final = {
    "No.": "number", "no.": "number", "Nos.": "numbers", "Fig.": "figure", "Figs.": "figures", "p.": "page",
    "pp.": "pages", "Vol.": "volume", "vol.": "volume", "Ch.": "chapter", "ch.": "chapter", "Sec.": "section",
    "Eq.": "equation", "Art.": "article", "#": "number", "§": "section",
}  # fmt: skip
MONTHS: Final = {
    "Jan.": "January", "Feb.": "February", "Mar.": "March", "Apr.": "April", "Jun.": "June", "Jul.": "July",
    "Aug.": "August", "Sept.": "September", "Sep.": "September", "Oct.": "October", "Nov.": "November",
    "Dec.": "December",
}  # fmt: skip
DAYS: Final = {
    "Mon.": "Monday", "Tue.": "Tuesday", "Wed.": "Wednesday", "Thu.": "Thursday", "Fri.": "Friday",
    "Sat.": "Saturday",
    "Sun.": "Sunday",
}  # fmt: skip
PARTS: Final = {
    "2": ("half", "halves"), "3": ("third", "thirds"), "4": ("quarter", "quarters"), "5": ("fifth", "fifths"),
    "6": ("sixth", "sixths"), "8": ("eighth", "eighths"),
}  # fmt: skip
FRACTION_SIGNS: Final = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8",
    "⅞": "7/8",
}  # fmt: skip
MEASURES: Final = "cup|teaspoon|tablespoon|pint|gallon|hour|mile|inch|pound|ounce|liter|litre|kilo|acre|year|turn|day"
DIGITS: Final = ("oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
