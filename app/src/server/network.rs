//! Where attempts come from.

/// Where attempts from an address are counted: an IPv6 customer has 2^64 addresses, so its network counts.
#[must_use]
pub fn network(address: &str) -> String {
    match address.parse() {
        Ok(std::net::IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        _ => address.to_owned(),
    }
}

/// What is said when the limit on attempts holds.
#[must_use]
pub fn too_many(seconds: i32) -> String {
    format!("Too many attempts. Wait {} minutes, then try again.", (seconds + 59) / 60)
}
