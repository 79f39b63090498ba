//! What a password is digested with: Argon2id's parameters and the salt, as PHC strings write them. They are kept with each
//! password, so that stronger ones shut nobody out: a password is digested anew when its person signs in.

use argon2::{Algorithm, Argon2, Params, Version};

use super::{DIGEST_BYTES, Impossible};

/// The parameters of new passwords: OWASP's for Argon2id.
const TODAY: Cost = Cost { memory_kib: 19 * 1024, rounds: 2, lanes: 1 };
/// More than this is no cost of ours, whatever is stored: it would take the machine.
const MOST: Cost = Cost { memory_kib: 256 * 1024, rounds: 20, lanes: 4 };

/// What a digest costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    memory_kib: u32,
    rounds: u32,
    lanes: u32,
}

impl Cost {
    /// Memory times rounds, as the database's `private.salt_cost` says it.
    const fn work(self) -> u64 {
        self.memory_kib as u64 * self.rounds as u64
    }
}

/// Parameters and salt of one password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Salt<'a> {
    cost: Cost,
    /// Its letters are what is digested.
    hex: &'a str,
}

impl<'a> Salt<'a> {
    /// Reads `$argon2id$v=19$m=19456,t=2,p=1$` and 32 hex digits.
    pub(super) fn read(text: &'a str) -> Result<Self, Impossible> {
        Self::parse(text).ok_or(Impossible::Undigestible)
    }

    fn parse(text: &'a str) -> Option<Self> {
        let (cost, hex) = text.strip_prefix("$argon2id$v=19$")?.split_once('$')?;
        let mut parts = cost.split(',');
        let mut figure = |name: &str| parts.next()?.strip_prefix(name)?.parse::<u32>().ok();
        let cost = Cost { memory_kib: figure("m=")?, rounds: figure("t=")?, lanes: figure("p=")? };
        let ours = cost.memory_kib <= MOST.memory_kib && cost.rounds <= MOST.rounds && cost.lanes <= MOST.lanes;
        (ours && parts.next().is_none() && hex.len() == 32).then_some(Self { cost, hex })
    }

    /// The digest of a password in its one form.
    pub(super) fn digest(&self, password: &str) -> Result<[u8; DIGEST_BYTES], Impossible> {
        let Cost { memory_kib, rounds, lanes } = self.cost;
        let params =
            Params::new(memory_kib, rounds, lanes, Some(DIGEST_BYTES)).map_err(|_| Impossible::Undigestible)?;
        let mut out = [0; DIGEST_BYTES];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), self.hex.as_bytes(), &mut out)
            .map_err(|_| Impossible::Undigestible)?;
        Ok(out)
    }
}

/// These random bits as a salt with the parameters of today.
#[must_use]
pub fn salt_of(random: u128) -> String {
    let Cost { memory_kib, rounds, lanes } = TODAY;
    format!("$argon2id$v=19$m={memory_kib},t={rounds},p={lanes}${random:032x}")
}

/// A new random salt with the parameters of today.
#[must_use]
pub fn fresh_salt() -> String {
    salt_of(rand::random())
}

/// A new salt for a password whose parameters are weaker than those of today; `None` where they are not.
#[must_use]
pub fn stronger_salt(salt: &str) -> Option<String> {
    let kept = Salt::parse(salt)?;
    (kept.cost.work() < TODAY.work()).then(fresh_salt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salt_is_read_back_as_it_was_written_and_what_is_none_is_refused() {
        let fresh = fresh_salt();
        let read = Salt::read(&fresh).unwrap();
        assert_eq!((read.cost, read.hex.len()), (TODAY, 32));
        assert_ne!(fresh, fresh_salt());
        let hex = "00112233445566778899aabbccddeeff";
        for text in [
            String::new(),
            hex.to_owned(),
            format!("$argon2i$v=19$m=19456,t=2,p=1${hex}"),
            format!("$argon2id$v=16$m=19456,t=2,p=1${hex}"),
            format!("$argon2id$v=19$m=19456,t=2${hex}"),
            format!("$argon2id$v=19$m=19456,t=2,p=1,x=1${hex}"),
            format!("$argon2id$v=19$m=4194304,t=2,p=1${hex}"),
            format!("$argon2id$v=19$m=19456,t=4000000,p=1${hex}"),
            "$argon2id$v=19$m=19456,t=2,p=1$short".to_owned(),
        ] {
            assert_eq!(Salt::read(&text), Err(Impossible::Undigestible), "{text}");
        }
    }

    #[test]
    fn weaker_parameters_are_replaced_and_stronger_ones_stay() {
        let with = |cost: &str| stronger_salt(&format!("$argon2id$v=19${cost}$00112233445566778899aabbccddeeff"));
        for weak in ["m=8192,t=2,p=1", "m=19456,t=1,p=1"] {
            assert_eq!(Salt::read(&with(weak).unwrap()).unwrap().cost, TODAY, "{weak}");
        }
        for strong in ["m=19456,t=2,p=1", "m=65536,t=3,p=1", "m=47104,t=1,p=1"] {
            assert_eq!(with(strong), None, "{strong}");
        }
    }
}
