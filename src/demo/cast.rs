//! Who appears in the demo: organizations, their clients, and the people who sign in.

use chrono::NaiveDate;
use chrono_tz::Tz;

/// The password of every demo login. For the demo alone: `portal user create` never has a default.
pub const PASSWORD: &str = "demo-only-password";

/// Where a client is at home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Land {
    /// Names, taxes and meters of the United States.
    States,
    /// The same of Germany.
    Germany,
}

/// How far billing of the last full month is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastMonth {
    /// Nobody has made the period.
    Missing,
    /// Made and not rated.
    Open,
    /// Rated, with exceptions, waiting for approval.
    Rated,
    /// Approved, waiting to be issued.
    Approved,
    /// Issued.
    Invoiced,
}

/// An organization.
pub struct Group {
    pub slug: &'static str,
    pub name: &'static str,
    pub currency: &'static str,
    pub time_zone: &'static str,
    pub locale: &'static str,
    /// Its energy admin.
    pub admin: (&'static str, &'static str),
    pub clients: &'static [Utility],
}

/// A client.
pub struct Utility {
    pub slug: &'static str,
    pub name: &'static str,
    pub legal_name: &'static str,
    pub address: &'static str,
    pub tax_number: &'static str,
    pub series: &'static str,
    pub zone: Tz,
    pub land: Land,
    pub tax_name: &'static str,
    /// In hundredths of a per cent.
    pub tax: i64,
    pub terms: i64,
    pub customers: usize,
    pub towns: &'static [&'static str],
    /// What its customers' phone numbers begin with: ranges kept for fiction.
    pub phone: &'static str,
    /// Its client admin.
    pub admin: (&'static str, &'static str),
    pub last_month: LastMonth,
    /// How many of the last months are billed here; what was used before was billed elsewhere. With thirteen each bill has one
    /// of a year before beside it.
    pub billed: usize,
    /// Price of a kWh of the plain tariff in hundredths of a cent.
    pub price: i64,
}

/// EIS Power's own people.
pub const STAFF: [(&str, &str); 2] =
    [("Ada Lindgren", "ada.lindgren@eis-power.example"), ("Tom Baker", "tom.baker@eis-power.example")];

/// Client admin at two organizations and energy admin at one: she chooses when she signs in.
pub const CONSULTANT: (&str, &str) = ("Ines Moreau", "ines.moreau@gridwise.example");
/// Slugs of the two clients that the consultant runs.
pub const CONSULTANT_CLIENTS: [&str; 2] = ["summit-ridge", "hafenstrom-altona"];
/// Slug of the organization that the consultant runs.
pub const CONSULTANT_ORGANIZATION: &str = "cedar-valley";

/// The customer of the walk-through: an interval meter without usage since 2012.
pub const WALK_NAME: &str = "Front Street Residence, Grace Holloway";
/// Her login.
pub const WALK_EMAIL: &str = "grace.holloway@mail.example";
/// Her name as a user.
pub const WALK_PERSON: &str = "Grace Holloway";
/// Her client.
pub const WALK_CLIENT: &str = "harbor-light";
/// Its name.
pub const WALK_CLIENT_NAME: &str = "Harbor Light & Power";
/// Its admin's login.
pub const WALK_ADMIN: &str = "dana.whitfield@harborlight.example";
/// Her meter, as the reference Green Button file might call it.
pub const WALK_SERIAL: &str = "5446AF3F";

/// The client whose customer has two accounts.
pub const TWO_ACCOUNTS_CLIENT: &str = "prairie-electric";

/// Clients that let their customers compare tariffs.
pub const COMPARING: [&str; 2] = ["harbor-light", "stadtwerke-elbufer"];

/// When organizations, clients and logins were made.
pub fn founded() -> NaiveDate {
    NaiveDate::from_ymd_opt(2012, 1, 1).unwrap_or_default()
}

/// Everybody.
pub static GROUPS: [Group; 3] = [
    Group {
        slug: "northwind",
        name: "Northwind Energy Group",
        currency: "USD",
        time_zone: "America/New_York",
        locale: "en-US",
        admin: ("Helen Marsh", "helen.marsh@northwind.example"),
        clients: &NORTHWIND,
    },
    Group {
        slug: "elbe",
        name: "Elbe Stadtwerke Verbund",
        currency: "EUR",
        time_zone: "Europe/Berlin",
        locale: "de-DE",
        admin: ("Jörg Petersen", "joerg.petersen@elbe-verbund.example"),
        clients: &ELBE,
    },
    Group {
        slug: "cedar-valley",
        name: "Cedar Valley Co-operative",
        currency: "USD",
        time_zone: "America/Chicago",
        locale: "en-US",
        admin: ("Ruth Iverson", "ruth.iverson@cedarvalley.example"),
        clients: &CEDAR,
    },
];

static NORTHWIND: [Utility; 3] = [
    Utility {
        slug: "harbor-light",
        name: WALK_CLIENT_NAME,
        legal_name: "Harbor Light & Power Company, Inc.",
        address: "12 Whaler's Wharf, New Bedford, MA 02740",
        tax_number: "04-7719302",
        series: "HL",
        zone: chrono_tz::America::New_York,
        land: Land::States,
        tax_name: "City utility tax",
        tax: 500,
        terms: 21,
        customers: 58,
        towns: &["New Bedford, MA 02740", "Fairhaven, MA 02719", "Dartmouth, MA 02748", "Mattapoisett, MA 02739"],
        phone: "(508) 555-01",
        admin: ("Dana Whitfield", WALK_ADMIN),
        last_month: LastMonth::Missing,
        billed: 13,
        price: 1684,
    },
    Utility {
        slug: "prairie-electric",
        name: "Prairie Electric",
        legal_name: "Prairie Electric Service LLC",
        address: "400 East Main Street, Galesburg, IL 61401",
        tax_number: "37-2204817",
        series: "PE",
        zone: chrono_tz::America::Chicago,
        land: Land::States,
        tax_name: "Municipal utility tax",
        tax: 325,
        terms: 21,
        customers: 44,
        towns: &["Galesburg, IL 61401", "Knoxville, IL 61448", "Monmouth, IL 61462"],
        phone: "(309) 555-01",
        admin: ("Curtis Hale", "curtis.hale@prairie-electric.example"),
        last_month: LastMonth::Rated,
        billed: 7,
        price: 1312,
    },
    Utility {
        slug: "summit-ridge",
        name: "Summit Ridge Energy",
        legal_name: "Summit Ridge Energy Corporation",
        address: "77 Tennyson Street, Golden, CO 80401",
        tax_number: "84-6630155",
        series: "SR",
        zone: chrono_tz::America::Denver,
        land: Land::States,
        tax_name: "City sales tax",
        tax: 450,
        terms: 18,
        customers: 46,
        towns: &["Golden, CO 80401", "Evergreen, CO 80439", "Idaho Springs, CO 80452"],
        phone: "(303) 555-01",
        admin: ("Lucia Torres", "lucia.torres@summitridge.example"),
        last_month: LastMonth::Approved,
        billed: 7,
        price: 1425,
    },
];

static ELBE: [Utility; 3] = [
    Utility {
        slug: "stadtwerke-elbufer",
        name: "Stadtwerke Elbufer",
        legal_name: "Stadtwerke Elbufer GmbH",
        address: "Am Kraftwerk 3, 21481 Lauenburg/Elbe",
        tax_number: "DE 27 118 4402",
        series: "SWE",
        zone: chrono_tz::Europe::Berlin,
        land: Land::Germany,
        tax_name: "Umsatzsteuer",
        tax: 1900,
        terms: 14,
        customers: 54,
        towns: &["21481 Lauenburg/Elbe", "21502 Geesthacht", "21514 Büchen"],
        phone: "+49 40 66969 0",
        admin: ("Wiebke Hansen", "wiebke.hansen@stadtwerke-elbufer.example"),
        last_month: LastMonth::Invoiced,
        billed: 13,
        price: 3290,
    },
    Utility {
        slug: "auental-energie",
        name: "Auental Energie",
        legal_name: "Auental Energie eG",
        address: "Weinbergstraße 18, 01662 Meißen",
        tax_number: "DE 31 552 0917",
        series: "AE",
        zone: chrono_tz::Europe::Berlin,
        land: Land::Germany,
        tax_name: "Umsatzsteuer",
        tax: 1900,
        terms: 14,
        customers: 41,
        towns: &["01662 Meißen", "01640 Coswig", "01689 Weinböhla"],
        phone: "+49 30 23125 1",
        admin: ("Matthias Lorenz", "matthias.lorenz@auental-energie.example"),
        last_month: LastMonth::Missing,
        billed: 7,
        price: 3145,
    },
    Utility {
        slug: "hafenstrom-altona",
        name: "Hafenstrom Altona",
        legal_name: "Hafenstrom Altona GmbH & Co. KG",
        address: "Große Elbstraße 112, 22767 Hamburg",
        tax_number: "DE 29 004 7731",
        series: "HA",
        zone: chrono_tz::Europe::Berlin,
        land: Land::Germany,
        tax_name: "Umsatzsteuer",
        tax: 1900,
        terms: 14,
        customers: 50,
        towns: &["22767 Hamburg", "22763 Hamburg", "22765 Hamburg"],
        phone: "+49 40 66969 2",
        admin: ("Leyla Yılmaz", "leyla.yilmaz@hafenstrom.example"),
        last_month: LastMonth::Open,
        billed: 7,
        price: 3410,
    },
];

static CEDAR: [Utility; 2] = [
    Utility {
        slug: "cedar-valley-electric",
        name: "Cedar Valley Electric",
        legal_name: "Cedar Valley Electric Cooperative",
        address: "1900 Rainbow Drive, Cedar Falls, IA 50613",
        tax_number: "42-3381906",
        series: "CV",
        zone: chrono_tz::America::Chicago,
        land: Land::States,
        tax_name: "Local option tax",
        tax: 100,
        terms: 20,
        customers: 41,
        towns: &["Cedar Falls, IA 50613", "Waverly, IA 50677", "Janesville, IA 50647"],
        phone: "(319) 555-01",
        admin: ("Neil Svoboda", "neil.svoboda@cedarvalley.example"),
        last_month: LastMonth::Invoiced,
        billed: 13,
        price: 1178,
    },
    Utility {
        slug: "blackhawk-rural",
        name: "Blackhawk Rural Power",
        legal_name: "Blackhawk Rural Power Association",
        address: "RR 2 Box 41, Hudson, IA 50643",
        tax_number: "42-5520487",
        series: "BR",
        zone: chrono_tz::America::Chicago,
        land: Land::States,
        tax_name: "Local option tax",
        tax: 100,
        terms: 20,
        customers: 33,
        towns: &["Hudson, IA 50643", "Reinbeck, IA 50669", "La Porte City, IA 50651"],
        phone: "(319) 555-01",
        admin: ("Joan Petersen", "joan.petersen@blackhawkrural.example"),
        last_month: LastMonth::Approved,
        billed: 13,
        price: 1240,
    },
];
