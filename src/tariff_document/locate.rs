//! Where in a JSON text a field stands.

use super::validate::Fault;

/// The fault with the line and column of its field, or of the nearest field around it.
pub fn place(text: &str, mut fault: Fault) -> Fault {
    if fault.line.is_none() {
        let offset = find(text, &fault.path);
        let before = text.get(..offset).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        fault.line = u64::try_from(before.matches('\n').count() + 1).ok();
        fault.column = u64::try_from(before.get(line_start..).unwrap_or_default().chars().count() + 1).ok();
    }
    fault
}

/// Byte offset of the value at a path such as `a.b[0].c`.
fn find(text: &str, wanted: &str) -> usize {
    let mut scan = Scan { text: text.as_bytes(), at: 0, wanted, best: (0, 0), depth: 0 };
    scan.space();
    scan.best.1 = scan.at;
    scan.value(&mut String::new());
    scan.best.1
}

/// A walk over a text that is known to be JSON.
struct Scan<'t> {
    text: &'t [u8],
    at: usize,
    wanted: &'t str,
    /// Length of the best path so far and its offset.
    best: (usize, usize),
    depth: usize,
}

impl Scan<'_> {
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(b'}')
    }

    fn space(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn value(&mut self, path: &mut String) {
        self.space();
        let rest = self.wanted.strip_prefix(path.as_str());
        let fits = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        if fits && path.len() > self.best.0 {
            self.best = (path.len(), self.at);
        }
        self.depth += 1;
        match self.peek() {
            // The parser before refuses deeper nesting.
            b'{' | b'[' if self.depth < 128 => self.members(path),
            b'"' => drop(self.string()),
            _ => self.skip_scalar(),
        }
        self.depth -= 1;
    }

    fn members(&mut self, path: &mut String) {
        let object = self.peek() == b'{';
        let length = path.len();
        self.at += 1;
        for index in 0.. {
            self.space();
            if matches!(self.peek(), b'}' | b']') || self.at >= self.text.len() {
                break;
            }
            if object {
                let key = self.string();
                self.space();
                self.at += 1;
                path.push_str(if length == 0 { "" } else { "." });
                path.push_str(&key);
            } else {
                path.push_str(&format!("[{index}]"));
            }
            self.value(path);
            path.truncate(length);
            self.space();
            if self.peek() == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
    }

    fn string(&mut self) -> String {
        let start = self.at;
        self.at += 1;
        while self.at < self.text.len() && self.peek() != b'"' {
            self.at += if self.peek() == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        let raw = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_slice(raw).unwrap_or_default()
    }

    fn skip_scalar(&mut self) {
        self.at += 1;
        while self.text.get(self.at).is_some_and(|byte| !b",]} \t\r\n".contains(byte)) {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_or_the_nearest_around_it() {
        let text = "{\"a\": {\"x y\": [1, {\"c\\\"\": 2}]},\n \"b\": true}";
        let at = |path: &str| {
            let fault = place(text, Fault::new(path, ""));
            (fault.line.unwrap(), fault.column.unwrap())
        };
        assert_eq!(at("a.x y[1].c\""), (1, 27));
        assert_eq!(at("a.x y[1].nothing"), (1, 19));
        assert_eq!(at("b"), (2, 7));
        assert_eq!(at("nothing"), (1, 1));
    }
}
