//! The words invented records are made of. Written for Coffer: towns and operating systems
//! are real, no person, company or other product is meant. Left as set by hand: one word a line would be 600 lines.

pub(super) const GIVEN_NAMES: [&str; 104] = [
    "Ada", "Agnès", "Aino", "Alba", "Aleksander", "Anders", "Anneke", "Antal", "Astrid", "Aurélie", "Bastian",
    "Beatriz", "Benedikt", "Björn", "Bronisław", "Camille", "Carmen", "Cecília", "Ciarán", "Clara", "Cosimo", "Dagmar",
    "Daria", "Dimitra", "Dorota", "Edvard", "Eilidh", "Elif", "Elías", "Emília", "Enrico", "Erzsébet", "Esther",
    "Étienne", "Fabien", "Federica", "Filip", "Florian", "Françoise", "Frida", "Gaspard", "Gerda", "Giulia", "Grażyna",
    "Gustav", "Hanne", "Hedvig", "Henrike", "Hugo", "Ignacio", "Ilse", "Ines", "Ioana", "Isak", "Ivana", "Jakob",
    "Jana", "Jérôme", "Joana", "Jördis", "Judit", "Kaisa", "Katarína", "Klára", "Konrad", "Lars", "Léonie", "Ligia",
    "Lorenzo", "Lucía", "Magnus", "Maëlle", "Małgorzata", "Marek", "Matilde", "Mirela", "Moritz", "Nadia", "Niamh",
    "Nils", "Noémie", "Ola", "Orsolya", "Pádraig", "Pilar", "Radka", "Renske", "Rosalind", "Rui", "Sabine", "Saoirse",
    "Sigrid", "Søren", "Stanisław", "Tamsin", "Teodora", "Tomáš", "Ulla", "Václav", "Valentina", "Wiebke", "Xavier",
    "Yannick", "Zsófia",
];

pub(super) const FAMILY_NAMES: [&str; 120] = [
    "Abendroth", "Achterberg", "Åkesson", "Albrecht", "Almeida", "Andrade", "Aubert", "Bäcker", "Baranowski", "Barros",
    "Beaumont", "Belinska", "Bengtsson", "Berger", "Björklund", "Blažek", "Bonnet", "Brandão", "Brightwater",
    "Brückner", "Calloway", "Caruso", "Černý", "Charpentier", "Colombo", "Conti", "Cortês", "Dahlberg", "Delacroix",
    "Dijkstra", "Dobrev", "Doyle", "Dubois", "Eklund", "Eriksen", "Escudero", "Falk", "Farkas", "Ferreira",
    "Fitzgerald", "Fournier", "Gallo", "Garnier", "Georgiou", "Gräfe", "Greenhalgh", "Grönlund", "Gutiérrez", "Haas",
    "Halloran", "Hansen", "Havel", "Heikkinen", "Hofstra", "Holm", "Horváth", "Ibáñez", "Iversen", "Jankowska",
    "Järvinen", "Jensen", "Juhász", "Kaczmarek", "Karlsson", "Keller", "Kirchhoff", "Kowalczyk", "Krüger", "Laine",
    "Lambert", "Larsen", "Leclerc", "Lehmann", "Lindqvist", "Lombardi", "Löwe", "Machado", "Mancini", "Marchetti",
    "Martín", "McBride", "Meijer", "Mitchell", "Molnár", "Moreau", "Müller", "Nemeth", "Nielsen", "Novák", "Nowicka",
    "Núñez", "O'Dwyer", "Okonjo", "Olsen", "Ortega", "Østergaard", "Papadaki", "Pavlović", "Pereira", "Petrescu",
    "Quintana", "Rasmussen", "Renaud", "Ribeiro", "Rossi", "Sandoval", "Schäfer", "Šimek", "Sørensen", "Strand",
    "Szabó", "Tavares", "Thorne", "Ueland", "Vandenberg", "Vermeulen", "Wójcik", "Ylönen", "Zając", "Zimmermann",
];

/// First words of company names.
pub(super) const COMPANY_NAMES: [&str; 64] = [
    "Aldermoor", "Altwasser", "Amberfield", "Ardenne", "Baltia", "Bergquell", "Birkholm", "Blauwvoet", "Brennweiler",
    "Brightmere", "Calvera", "Castelnova", "Clairmont", "Coldharbour", "Cormoraine", "Dunmarrow", "Eichental",
    "Elmsworth", "Estrela", "Fairlock", "Fennbrook", "Fjellvik", "Florentia", "Gannetry", "Glimmer", "Grauwald",
    "Greyfriars", "Halvorsund", "Harrowgate", "Hohenfeld", "Hollowell", "Ilmenfurt", "Isarblick", "Juniperway",
    "Kestrelby", "Kupferberg", "Lanterna", "Larkspear", "Lindenhof", "Lumérelle", "Marisma", "Meridane", "Mistrelle",
    "Moorlander", "Nebelturm", "Nordvei", "Oakhanger", "Ostermark", "Pallasite", "Peregrave", "Quayside", "Ravensfield",
    "Rosmarin", "Saltholm", "Silberbach", "Solvang Nord", "Starlingford", "Tamariske", "Tidewell", "Umbria Nuova",
    "Valdoré", "Westerhaven", "Wintergroen", "Zephyrine",
];

/// Last words of company names.
pub(super) const COMPANY_FORMS: [&str; 24] = [
    "Logistik GmbH", "Ltd", "& Sons", "& Söhne", "SARL", "AB", "B.V.", "Textiles", "Engineering", "Bau AG",
    "Consulting", "Foods", "Timber", "Printworks", "Electric", "Instruments", "Insurance", "Glass", "Chandlers",
    "Packaging", "Legal", "Marine", "Medical", "Surveyors",
];

pub(super) const POSITIONS: [&str; 20] = [
    "Accounts payable", "Office manager", "Head of purchasing", "Site engineer", "Planner", "Legal counsel",
    "Dispatcher", "Quality inspector", "Sales, northern region", "IT administrator", "Managing partner",
    "Customs agent", "Facilities", "Press officer", "Warehouse lead", "Draughtsperson", "Treasurer", "Personnel",
    "Trainee", "Owner",
];

pub(super) const STREETS: [&str; 24] = [
    "Alte Gasse", "Bakery Lane", "Brunnenweg", "Calle del Faro", "Canal Street", "Chestnut Row", "Gartenstraße",
    "Granitvägen", "Harbour Road", "Kirchplatz", "Lindenallee", "Long Acre", "Mill Lane", "Mühlenweg", "Nygatan",
    "Orchard Close", "Piazza Vecchia", "Quai des Tanneurs", "Rua da Praia", "Rue des Lilas", "Station Road", "Torggata",
    "Via dei Mulini", "Weavers' Yard",
];

pub(super) const TOWNS: [&str; 20] = [
    "10115 Berlin", "20095 Hamburg", "60311 Frankfurt am Main", "80331 München", "1011 Amsterdam", "2000 Antwerpen",
    "33000 Bordeaux", "44000 Nantes", "69001 Lyon", "111 20 Stockholm", "411 04 Göteborg", "1050 København",
    "0150 Oslo", "00-001 Warszawa", "110 00 Praha", "1010 Wien", "4000-001 Porto", "28001 Madrid", "Bristol",
    "Edinburgh",
];

/// Services people sign in to, with the name of the host.
pub(super) const SERVICES: [(&str, &str); 28] = [
    ("Webmail", "mail"), ("Calendar", "calendar"), ("Payroll", "payroll"), ("Time sheets", "time"),
    ("Invoices", "billing"), ("Supplier portal", "suppliers"), ("Customer portal", "portal"),
    ("File exchange", "files"), ("Wiki", "wiki"), ("Ticket desk", "helpdesk"), ("Travel bookings", "travel"),
    ("Video meetings", "meet"), ("Newsletter", "news"), ("Web shop", "shop"), ("Domain registrar", "domains"),
    ("Code hosting", "code"), ("Build server", "build"), ("Monitoring", "status"), ("Print service", "print"),
    ("Door access", "doors"), ("Fleet tracker", "fleet"), ("Insurance claims", "claims"), ("Bank portal", "bank"),
    ("Tax adviser", "tax"), ("Drawing archive", "drawings"), ("Tenders", "tenders"), ("Backup console", "backup"),
    ("Telephone system", "pbx"),
];

pub(super) const SYSTEMS: [&str; 8] = [
    "Debian 12", "Debian 13", "Alpine 3.22", "FreeBSD 14", "OpenBSD 7.7", "Ubuntu 24.04", "Windows Server 2022",
    "Rocky Linux 9",
];

pub(super) const SERVER_ROLES: [&str; 16] = [
    "backup", "build", "cache", "db", "dns", "files", "gate", "ldap", "log", "mail", "mon", "print", "proxy", "vpn",
    "web", "wiki",
];

pub(super) const PRODUCTS: [&str; 16] = [
    "Ledgerline Accounting", "Planwerk CAD", "Papertrail Archive", "Quillmark Editor", "Routewise Dispatch",
    "Tallyhouse Inventory", "Stillwater Antivirus", "Fontane Type Library", "Northlight Photo", "Surveyor's Bench",
    "Gridiron Spreadsheet Tools", "Weighbridge Connector", "Lexica Dictionary", "Kontor Payroll", "Sundial Scheduling",
    "Blueline Plotter Driver",
];

pub(super) const BANKS: [&str; 8] = [
    "Beispielbank", "Bank of Nowhere", "Sparkasse Musterstadt", "Harbour Mutual", "Banque Fictive", "Voorbeeldbank",
    "Exempelbanken", "Northern Example Trust",
];

pub(super) const DOCUMENTS: [(&str, &str); 6] = [
    ("Passport", "Passport office"), ("Driving licence", "Licensing agency"),
    ("Residence permit", "Immigration office"), ("Identity card", "Town hall"),
    ("Seafarer's book", "Maritime authority"), ("Site pass", "Building authority"),
];

pub(super) const THINGS: [&str; 12] = [
    "Alarm system", "Safe", "Key cabinet", "Meter cupboard", "Post box", "Gate", "Lift controls", "Heating controls",
    "Cold store", "Archive room", "Bicycle store", "Server room",
];

pub(super) const HARBOUR_PLACES: [&str; 12] = [
    "Quay 1", "Quay 2", "Quay 5", "Warehouse A", "Warehouse C", "Head office", "Gatehouse", "Yard", "Weighbridge",
    "Reefer park", "Crew lounge", "Customs hall",
];

pub(super) const STUDIO_PLACES: [&str; 12] = [
    "Studio north", "Studio south", "Model shop", "Annexe", "Head office", "Basement", "Third floor", "Roof terrace",
    "Showroom", "Plan archive", "Materials library", "Courtyard",
];

pub(super) const SUBJECTS: [&str; 24] = [
    "Handover", "Minutes of the meeting", "Contract terms", "Onboarding steps", "Emergency contacts", "Price agreement",
    "Complaint", "Delivery instructions", "Access rules", "Visit", "Audit findings", "Maintenance window", "Retention",
    "Translation glossary", "Parking", "Seating plan", "Wiring notes", "Telephone call", "Reference", "Data processing",
    "Insurance cover", "Tender", "Network plan", "Renewal",
];

/// Sentences any firm might write down.
pub(super) const SENTENCES: [&str; 28] = [
    "Call before noon.", "Prefers letters to e-mail.", "The contract runs out at the end of the year.",
    "Ask for the duty manager.", "Do not use the old address.", "Changed after the audit in spring.",
    "Second factor is on the blue token in the safe.", "Invoice in two copies.", "Speaks German, French and English.",
    "Replaced after the water damage.", "Only reachable through the VPN.", "The previous supplier still has a key.",
    "Renewal needs two signatures.", "Closed in August.", "Deliveries to the rear entrance.",
    "Agreed by telephone, written confirmation follows.", "Kept for ten years.", "Shared with the night shift.",
    "Password rotated every quarter.", "Discount of three per cent within fourteen days.",
    "Shares an office with the agency.", "Send reminders to the general mailbox.",
    "The meter is behind the second door.", "Copy held by the notary.", "Leave a message with reception.",
    "On parental leave until autumn.", "Verified against the register.", "Spare part numbers are on the label.",
];

pub(super) const HARBOUR_SENTENCES: [&str; 10] = [
    "Berth is booked until the tide turns.", "Crane slot confirmed.", "Customs papers travel with the driver.",
    "Reefer containers need a plug by the gate.", "Pilot on board two hours before arrival.",
    "Demurrage starts on day four.", "Weighs in at the northern bridge.", "Bill of lading was reissued.",
    "Hazard class three, keep apart.", "Night gate opens with the transponder.",
];

pub(super) const STUDIO_SENTENCES: [&str; 10] = [
    "The model stands in the showroom.", "Planning permission is pending.", "Facade samples arrive by courier.",
    "Structural report attached to the drawing set.", "Client wants larch, not oak.",
    "Competition entry, keep confidential.", "Site visit every second Tuesday.",
    "Fire inspection passed with one remark.", "Scale 1:50 sheets are out of date.",
    "Heritage office must approve the windows.",
];

pub(super) const HARBOUR_TAGS: [&str; 12] = [
    "berths", "customs", "crew", "drivers", "fuel", "insurance", "night shift", "office", "reefer", "suppliers",
    "vessels", "yard",
];

pub(super) const STUDIO_TAGS: [&str; 12] = [
    "archive", "clients", "competition", "drawings", "heritage", "model shop", "office", "permits", "site", "suppliers",
    "surveys", "tenders",
];
