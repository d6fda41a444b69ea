//! Names of functions without their parameters.

/// `text` with every signature cut before its parameters: what a function takes is not what it is
/// about. A bracket after a space is prose and stays.
#[must_use]
pub fn without_parameters(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(name).collect();
    lines.join("\n")
}

fn name(line: &str) -> &str {
    match line.split_once('(') {
        Some((before, _)) if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') => before,
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_go_and_prose_in_brackets_stays() {
        for (text, expected) in [
            (
                "plistlib.dump(value, fp, *, sort_keys=True)",
                "plistlib.dump",
            ),
            ("os.chdir(path)\nos.getcwd()", "os.chdir\nos.getcwd"),
            (
                "Global interpreter lock (GIL)",
                "Global interpreter lock (GIL)",
            ),
            ("with open() as a file", "with open"),
        ] {
            assert_eq!(without_parameters(text), expected);
        }
    }
}
