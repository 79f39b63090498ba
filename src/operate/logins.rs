//! The portal's logins at its database: their passwords, and the connection string of each.

/// Passwords of the logins, kept in the data directory.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct LoginPasswords {
    /// The private server's superuser.
    pub superuser: String,
    /// `eis_app`.
    pub app: String,
    /// `eis_worker`.
    pub worker: String,
    /// `eis_monitor`.
    pub monitor: String,
}

impl LoginPasswords {
    /// Each login with its password.
    #[must_use]
    pub fn each(&self) -> [(&'static str, &str); 3] {
        [("eis_app", &self.app), ("eis_worker", &self.worker), ("eis_monitor", &self.monitor)]
    }
}

/// The same place with another login, given in the query so that socket addresses work too.
#[must_use]
pub fn with_login(url: &str, login: &str, password: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgresql", url));
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let place = match place.split_once('/') {
        Some((authority, path)) => {
            format!("{}/{path}", authority.rsplit_once('@').map_or(authority, |(_, host)| host))
        }
        None => place.rsplit_once('@').map_or(place, |(_, host)| host).to_owned(),
    };
    let kept = query.split('&').filter(|pair| {
        !pair.is_empty()
            && !pair.starts_with("user=")
            && !pair.starts_with("password=")
            && !pair.starts_with("options=")
    });
    let mut pairs: Vec<String> = kept.map(str::to_owned).collect();
    pairs.push(format!("user={login}"));
    pairs.push(format!("password={password}"));
    format!("{scheme}://{place}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_login_replaces_the_first_wherever_it_is_written() {
        assert_eq!(
            with_login("postgresql://root:secret@db.example:5432/portal?sslmode=disable", "eis_app", "x"),
            "postgresql://db.example:5432/portal?sslmode=disable&user=eis_app&password=x"
        );
        assert_eq!(
            with_login("postgresql:///portal?host=/run&user=postgres&password=y", "eis_app", "x"),
            "postgresql:///portal?host=/run&user=eis_app&password=x"
        );
    }
}
