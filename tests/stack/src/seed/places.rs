//! Where people scan: countries by ISO 3166-1 and their states by ISO 3166-2, most of them in Brazil.

use fastrand::Rng;

use super::chance::Wheel;

/// A country's code, its share of the scans (of 1,077), how many whole hours its clocks are
/// ahead of UTC, and its states: the part of the code behind the hyphen, the populous ones first.
struct Country(&'static str, f64, i32, &'static str);

#[rustfmt::skip]
static COUNTRIES: [Country; 50] = [
    Country("BR", 300.0, -3, "SP MG RJ BA PR RS PE CE PA SC MA GO AM ES PB RN MT AL PI DF MS SE RO TO AC AP RR"),
    Country("US", 110.0, -6, "CA TX FL NY PA IL OH GA NC MI NJ VA WA AZ TN MA IN MO MD WI CO MN SC AL LA KY OR OK CT UT NV IA AR KS MS NM NE ID WV HI NH ME MT RI DE SD ND AK DC VT WY"),
    Country("MX", 70.0, -6, "MEX CMX JAL VER PUE GUA CHP NLE MIC OAX CHH TAM BCN GRO SIN COA HID SON SLP TAB YUC QUE MOR DUR ZAC ROO AGU TLA NAY CAM BCS COL"),
    Country("AR", 60.0, -3, "B C X S M T E A N H W G J Q Y U D K R P F L Z V"),
    Country("PT", 45.0, 0, "11 13 03 15 01 08 10 14 16 18 06 30 20 17 09 05 02 04 07 12"),
    Country("CN", 45.0, 8, "GD SD HA JS SC HE HN ZJ AH HB GX YN JX LN FJ SN HL SX GZ CQ JL GS NM XJ SH BJ TJ HI NX QH XZ"),
    Country("DE", 40.0, 1, "NW BY BW NI HE SN RP BE SH BB ST TH HH MV SL HB"),
    Country("ES", 35.0, 1, "AN CT MD VC GA CL PV CN CM MC AR IB EX AS NC CB RI ML CE"),
    Country("FR", 32.0, 1, "IDF ARA NAQ OCC HDF GES PAC PDL BRE NOR BFC CVL 20R"),
    Country("CO", 30.0, -5, "DC ANT VAC CUN ATL SAN BOL NAR CAU COR NSA TOL MAG CES HUI BOY LAG MET CAL RIS SUC QUI CHO CAQ CAS PUT ARA GUV VID AMA SAP VAU GUA"),
    Country("IT", 28.0, 1, "25 62 72 82 34 45 21 75 52 78 88 42 57 65 36 32 55 77 67 23"),
    Country("GB", 28.0, 0, "ENG SCT WLS NIR"),
    Country("CL", 25.0, -4, "RM VS BI ML AR LI LL CO AN AT TA LR NB AP MA AI"),
    Country("IN", 22.0, 5, "UP MH BR WB MP TN RJ KA GJ AP OD TS KL JH AS PB CG HR DL JK UK HP MN TR ML NL GA AR PY MZ CH SK AN"),
    Country("JP", 18.0, 9, "13 14 27 23 11 12 28 01 40 22 08 34 26 04 15 20 21 10 09 33 07 24 43 46 47 25 29 35 38 42 02 03 17 44 45 06 16 37 05 30 19 41 18 36 39 32 31"),
    Country("PE", 15.0, -5, "LMA PIU LAL ARE CAJ JUN CUS LAM PUN ANC CAL LOR ICA SAM HUC AYA UCA APU AMA TAC HUV PAS TUM MOQ MDD"),
    Country("CA", 14.0, -5, "ON QC BC AB MB SK NS NB NL PE NT YT NU"),
    Country("UY", 12.0, -3, "MO CA MA SA CO PA RV SJ TA CL SO AR LA RO DU FD TT FS RN"),
    Country("PY", 10.0, -3, "11 10 ASU 5 7 1 2 4 14 8 3 6 9 12 15 13 16 19"),
    Country("NL", 9.0, 1, "ZH NH NB GE UT OV LI FR GR DR FL ZE"),
    Country("AU", 9.0, 10, "NSW VIC QLD WA SA TAS ACT NT"),
    Country("KR", 8.0, 9, "41 11 26 48 28 27 47 44 46 45 43 42 30 29 31 49 50"),
    Country("CH", 8.0, 1, "ZH BE VD AG SG GE LU TI VS FR BL TG SO GR BS NE SZ ZG SH JU AR NW GL OW UR AI"),
    Country("PL", 7.0, 1, "14 24 30 12 02 10 22 06 18 32 04 28 26 20 16 08"),
    Country("TR", 6.0, 3, "34 06 35 16 07 01 42 63 27 41 33 21 31 45 38"),
    Country("BO", 6.0, -4, ""),
    Country("EC", 6.0, -5, ""),
    Country("BE", 5.0, 1, ""),
    Country("AE", 5.0, 4, ""),
    Country("ZA", 5.0, 2, ""),
    Country("AO", 5.0, 1, ""),
    Country("AT", 4.0, 1, ""),
    Country("SE", 4.0, 1, ""),
    Country("VE", 4.0, -4, ""),
    Country("MZ", 3.0, 2, ""),
    Country("CR", 3.0, -6, ""),
    Country("PA", 3.0, -5, ""),
    Country("DO", 3.0, -4, ""),
    Country("GT", 3.0, -6, ""),
    Country("DK", 3.0, 1, ""),
    Country("NO", 3.0, 1, ""),
    Country("IE", 3.0, 0, ""),
    Country("NG", 3.0, 1, ""),
    Country("TH", 2.0, 7, ""),
    Country("VN", 2.0, 7, ""),
    Country("ID", 2.0, 7, ""),
    Country("SG", 2.0, 8, ""),
    Country("IL", 2.0, 2, ""),
    Country("NZ", 2.0, 12, ""),
    // No address, no answer of the geolocation, a VPN.
    Country("", 8.0, -3, ""),
];
/// Where counterfeits are made or sold: the bursts of fraud come from here.
const HOTSPOTS: [&str; 8] = ["BR", "CN", "PY", "US", "IN", "TR", "MX", "AR"];
/// How much is scanned in each hour of a local day.
const ACTIVITY: [f64; 24] = [
    3.0, 2.0, 1.0, 1.0, 1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 19.0, 21.0, 22.0, 20.0, 19.0, 19.0, 20.0,
    22.0, 24.0, 25.0, 22.0, 17.0, 11.0, 6.0,
];

/// Where a scan was; `None` where that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) country: Option<&'static str>,
    pub(super) state: Option<&'static str>,
}

#[derive(Debug)]
pub(super) struct Places {
    /// Countries, for each hour of a UTC day: while Brazil sleeps, Japan is at its best.
    countries: Vec<Wheel>,
    states: Vec<States>,
}

#[derive(Debug)]
struct States {
    codes: Vec<&'static str>,
    wheel: Wheel,
}

impl Places {
    pub(super) fn new() -> Self {
        let countries = |hour| Wheel::new(COUNTRIES.iter().map(move |one| one.scans_at(hour)));
        Self {
            countries: (0..24).map(countries).collect(),
            states: COUNTRIES.iter().map(|country| States::of(country.3)).collect(),
        }
    }

    /// Where somebody scans at that hour of a UTC day.
    pub(super) fn somewhere(&self, hour: usize, rng: &mut Rng) -> Place {
        self.within(self.countries[hour].spin(rng), rng)
    }

    /// Where a burst of fraud is, state and all.
    pub(super) fn hotspot(&self, rng: &mut Rng) -> Place {
        let code = HOTSPOTS[rng.usize(..HOTSPOTS.len())];
        let country = COUNTRIES.iter().position(|country| country.0 == code).unwrap_or_default();
        self.within(country, rng)
    }

    fn within(&self, country: usize, rng: &mut Rng) -> Place {
        let States { codes, wheel } = &self.states[country];
        Place {
            country: Some(COUNTRIES[country].0).filter(|code| !code.is_empty()),
            state: codes.get(wheel.spin(rng)).copied(),
        }
    }
}

/// How much the whole world scans at that hour of a UTC day.
pub(super) fn activity(hour: usize) -> f64 {
    COUNTRIES.iter().map(|country| country.scans_at(hour)).sum()
}

impl Country {
    fn scans_at(&self, utc_hour: usize) -> f64 {
        let local_hour = (24 + utc_hour as i32 + self.2) % 24;
        self.1 * ACTIVITY[local_hour as usize]
    }
}

impl States {
    /// The second state has about half as many people as the first one, the third a third.
    fn of(codes: &'static str) -> Self {
        let codes: Vec<_> = codes.split_whitespace().collect();
        let wheel = Wheel::new((1..=codes.len()).map(|rank| 1.0 / rank as f64));
        Self { codes, wheel }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_codes_are_real() {
        for Country(country, _, _, states) in &COUNTRIES[..COUNTRIES.len() - 1] {
            assert!(rust_iso3166::from_alpha2(country).is_some(), "{country}");
            for state in states.split_whitespace() {
                let code = format!("{country}-{state}");
                assert!(rust_iso3166::iso3166_2::from_code(&code).is_some(), "{code}");
            }
        }
    }
}
