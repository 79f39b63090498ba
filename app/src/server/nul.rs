//! NUL characters are taken away at the door: PostgreSQL keeps none in a text, and nothing that people type has one.

use axum::extract::Request;
use axum::http::Uri;
use axum::middleware::Next;
use axum::response::Response;

/// Around every route that reads a query: it goes on without them.
pub async fn from_query(mut request: Request, next: Next) -> Response {
    if let Some(uri) = without(request.uri()) {
        *request.uri_mut() = uri;
    }
    next.run(request).await
}

/// The address without them in its query; `None` when there are none.
fn without(uri: &Uri) -> Option<Uri> {
    let query = uri.query().filter(|query| query.contains("%00"))?;
    let mut pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).ok()?;
    from_pairs(&mut pairs);
    let query = serde_urlencoded::to_string(pairs).ok()?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(format!("{}?{query}", uri.path()).parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// Takes them out of names and values; whether there were any.
pub fn from_pairs(pairs: &mut [(String, String)]) -> bool {
    let mut any = false;
    for text in pairs.iter_mut().flat_map(|(name, value)| [name, value]) {
        if text.contains('\0') {
            any = true;
            text.retain(|c| c != '\0');
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_goes_on_without_nul() {
        let clean = |uri: &str| without(&uri.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(clean("/clients?q=a%00b&sta%00tus=x%20y").unwrap(), "/clients?q=ab&status=x+y");
        assert_eq!(clean("/clients?q=%%0000").unwrap(), "/clients?q=%2500", "what is left is no NUL either");
        assert_eq!(clean("/clients?q=%25"), None);
        assert_eq!(clean("/clients"), None);
    }

    #[test]
    fn raw_and_encoded_ones_are_taken_out_of_a_form() {
        let mut pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(b"a=\0x%00&\0b=y&c=z").unwrap();
        assert!(from_pairs(&mut pairs));
        assert_eq!(serde_urlencoded::to_string(&pairs).unwrap(), "a=x&b=y&c=z");
        assert!(!from_pairs(&mut pairs));
    }
}
