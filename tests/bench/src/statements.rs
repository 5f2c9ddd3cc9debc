//! The very statements of the functions, as the compiler checked them.

use anyhow::Context;
use serde_json::Value;

/// The statement in `.sqlx` that has all of these words in it, its parameters filled in.
pub fn filled<S: AsRef<str>>(words: &[&str], parameters: &[S]) -> anyhow::Result<String> {
    for file in std::fs::read_dir(".sqlx")? {
        let query: Value = serde_json::from_slice(&std::fs::read(file?.path())?)?;
        let sql = query["query"].as_str().unwrap_or_default();
        if words.iter().all(|word| sql.contains(word)) {
            // The last one first: $1 is the beginning of $10.
            let filled = parameters.iter().enumerate().rev();
            let fill = |sql: String, (n, value): (usize, &S)| {
                sql.replace(&format!("${}", n + 1), value.as_ref())
            };
            return Ok(filled.fold(sql.to_owned(), fill));
        }
    }
    None.with_context(|| format!("no statement in .sqlx has {words:?} in it"))
}
