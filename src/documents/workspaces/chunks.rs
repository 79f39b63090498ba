//! The text of files in pieces that are found and cited. A search looks at every piece that the context sees: an index of
//! words would not be used under row-level security, and within one client none is needed.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Float, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::json;

use super::files::{self, Status};
use super::record;
use crate::access::Actor;
use crate::audit;
use crate::db::AtClient;
use crate::db::refused::{Outcome, Refused};
use crate::db::schema::files as table;
use crate::values::codes::codes;
use crate::values::ids::{DocumentChunkId, FileId, WorkspaceId};

/// The most characters of a piece.
pub const MOST_CHARACTERS: usize = 4_000;
/// The most pieces of a file.
pub const MOST_PIECES: usize = 5_000;

codes! {
    /// The language of a text, whose endings the search knows.
    Language {
        /// Another one, or none.
        Other = "",
        /// German.
        German = "de",
        /// English.
        English = "en",
        /// Spanish.
        Spanish = "es",
        /// French.
        French = "fr",
        /// Italian.
        Italian = "it",
        /// Dutch.
        Dutch = "nl",
    }
}

impl Language {
    /// What PostgreSQL calls its dictionary; the same as in the table's own column.
    const fn dictionary(self) -> &'static str {
        match self {
            Self::Other => "pg_catalog.simple",
            Self::German => "pg_catalog.german",
            Self::English => "pg_catalog.english",
            Self::Spanish => "pg_catalog.spanish",
            Self::French => "pg_catalog.french",
            Self::Italian => "pg_catalog.italian",
            Self::Dutch => "pg_catalog.dutch",
        }
    }
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// There is no such file that the actor may change.
    NotThere,
    /// There is no text.
    NoText,
    /// There are more than so many pieces.
    TooMany(usize),
    /// A piece is empty, or has only spaces.
    Empty {
        /// Which one, from 0.
        at: usize,
    },
    /// A piece has more than so many characters.
    TooLong {
        /// Which one, from 0.
        at: usize,
        /// How many it may have.
        most: usize,
    },
    /// A piece has the character NUL, which the database cannot keep.
    Nul {
        /// Which one, from 0.
        at: usize,
    },
}

/// A piece of a file's text.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Chunk {
    /// Its id, by which it is cited.
    #[diesel(sql_type = SqlUuid)]
    pub id: DocumentChunkId,
    /// Of which file.
    #[diesel(sql_type = SqlUuid)]
    pub file_id: FileId,
    /// In which workspace.
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    /// What the file is called.
    #[diesel(sql_type = Text)]
    pub file_name: String,
    /// The how manieth of the file, from 0.
    #[diesel(sql_type = Integer)]
    pub position: i32,
    /// Its language.
    #[diesel(sql_type = Text)]
    pub language: Language,
    /// Its text.
    #[diesel(sql_type = Text)]
    pub text: String,
}

/// A piece that was found, and how well it fits: the higher the better.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct Found {
    /// The piece.
    #[diesel(embed)]
    pub chunk: Chunk,
    /// How well it fits.
    #[diesel(sql_type = Float)]
    pub rank: f32,
}

const SELECT: &str = "SELECT c.id, c.file_id, c.workspace_id, f.name AS file_name, c.position, c.language, c.text";
const FROM: &str = "FROM public.document_chunks c JOIN public.files f \
    ON (f.organization_id, f.client_id, f.workspace_id, f.id) = (c.organization_id, c.client_id, c.workspace_id, c.file_id) \
    WHERE c.organization_id = $1 AND c.client_id = $2";

fn checked(pieces: &[String]) -> Outcome<(), Violation> {
    let mut violations = vec![];
    if pieces.is_empty() {
        violations.push(Violation::NoText);
    }
    if pieces.len() > MOST_PIECES {
        violations.push(Violation::TooMany(MOST_PIECES));
    }
    for (at, piece) in pieces.iter().enumerate() {
        if piece.trim().is_empty() {
            violations.push(Violation::Empty { at });
        }
        if piece.chars().count() > MOST_CHARACTERS {
            violations.push(Violation::TooLong { at, most: MOST_CHARACTERS });
        }
        if piece.contains('\0') {
            violations.push(Violation::Nul { at });
        }
    }
    Refused::unless(violations, ())
}

/// Puts the text of a file in, in place of what was there, so that it can be found.
///
/// # Errors
/// The violations of its pieces; [`Violation::NotThere`] where the actor does not write.
pub async fn replace(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    file: FileId,
    language: Language,
    pieces: &[String],
) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    checked(pieces)?;
    let row = files::locked(conn, &here, file).await?.ok_or(Refused::by(Violation::NotThere))?;
    sql_query("DELETE FROM public.document_chunks WHERE organization_id = $1 AND client_id = $2 AND file_id = $3")
        .bind::<SqlUuid, _>(here.organization)
        .bind::<SqlUuid, _>(here.client)
        .bind::<SqlUuid, _>(file)
        .execute(conn)
        .await?;
    let ids: Vec<DocumentChunkId> = pieces.iter().map(|_| DocumentChunkId::fresh()).collect();
    sql_query(
        "INSERT INTO public.document_chunks (organization_id, client_id, id, workspace_id, file_id, position, language, text, created_by) \
         SELECT $1, $2, p.id, $3, $4, p.at - 1, $5, p.text, $6 FROM unnest($7, $8) WITH ORDINALITY p (id, text, at)",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<SqlUuid, _>(row.workspace_id)
    .bind::<SqlUuid, _>(file)
    .bind::<Text, _>(language)
    .bind::<SqlUuid, _>(actor.user)
    .bind::<Array<SqlUuid>, _>(&ids)
    .bind::<Array<Text>, _>(pieces)
    .execute(conn)
    .await?;
    let read = (table::status.eq(Status::Indexed), table::problem.eq(files::Problem::None));
    diesel::update(files::of(&here).filter(table::id.eq(file))).set(read).execute(conn).await?;
    let details = audit::created(json!({ "pieces": pieces.len(), "language": language }));
    record(conn, actor, ("index", "file"), file.0, "Read the text of a file of a workspace", details).await?;
    Ok(())
}

/// The pieces of a language that have these words, the best first; in one workspace or in all that the context sees. Words
/// are written as people write them for a search: `"a phrase"`, `or`, `-without`.
///
/// # Errors
/// When the database fails.
pub async fn search(
    conn: &AsyncPgConnection,
    here: &AtClient,
    workspace: Option<WorkspaceId>,
    (language, words): (Language, &str),
    limit: i64,
) -> QueryResult<Vec<Found>> {
    let mut conn = conn;
    let words_of = "(SELECT websearch_to_tsquery($3::text::regconfig, $4))";
    sql_query(format!(
        "{SELECT}, ts_rank(c.words, {words_of}) AS rank {FROM} AND c.words @@ {words_of} AND c.language = $5 \
         AND ($6 IS NULL OR c.workspace_id = $6) ORDER BY rank DESC, c.file_id, c.position LIMIT $7"
    ))
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<Text, _>(language.dictionary())
    .bind::<Text, _>(words.replace('\0', " "))
    .bind::<Text, _>(language)
    .bind::<Nullable<SqlUuid>, _>(workspace)
    .bind::<BigInt, _>(limit)
    .load(&mut conn)
    .await
}

/// Pieces by their ids, as a conversation cites them; those that the context sees.
///
/// # Errors
/// When the database fails.
pub async fn cited(conn: &AsyncPgConnection, here: &AtClient, ids: &[DocumentChunkId]) -> QueryResult<Vec<Chunk>> {
    let mut conn = conn;
    sql_query(format!("{SELECT} {FROM} AND c.id = ANY ($3) ORDER BY c.file_id, c.position"))
        .bind::<SqlUuid, _>(here.organization)
        .bind::<SqlUuid, _>(here.client)
        .bind::<Array<SqlUuid>, _>(ids)
        .load(&mut conn)
        .await
}

/// Cuts a text into pieces that may be kept: at the ends of paragraphs where it can, else of lines, sentences or words.
/// Nothing is lost but spaces at the cuts and the character NUL.
#[must_use]
pub fn pieces(text: &str) -> Vec<String> {
    let text = text.replace('\0', "");
    let mut rest = text.trim();
    let mut pieces = vec![];
    while !rest.is_empty() {
        let end = rest.char_indices().nth(MOST_CHARACTERS).map_or(rest.len(), |(at, _)| at);
        let cut = if end == rest.len() { end } else { place_to_cut(rest.get(..end).unwrap_or(rest)) };
        let (piece, behind) = rest.split_at_checked(cut).unwrap_or((rest, ""));
        pieces.push(piece.trim_end().to_owned());
        rest = behind.trim_start();
    }
    pieces
}

/// Where to end a piece that goes on behind: in its second half, so that pieces are not short.
fn place_to_cut(text: &str) -> usize {
    let least = text.len() / 2;
    let mut ends =
        ["\n\n", "\n", ". ", " "].into_iter().filter_map(|end| Some(text.rfind(end)? + end.trim_end().len()));
    ends.find(|at| *at > least).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_paragraphs_and_nothing_of_it_is_lost() {
        assert_eq!(pieces(" \n"), Vec::<String>::new());
        assert_eq!(pieces(" one\0 piece "), ["one piece"]);
        let paragraph = "A sentence of forty characters or so. ".repeat(60);
        let text = format!("{paragraph}\n\n{paragraph}\n\n{paragraph}");
        let cut = pieces(&text);
        assert_eq!(cut.len(), 3);
        assert!(cut.iter().all(|piece| piece == paragraph.trim_end()), "{cut:#?}");
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for text in
            ["word ".repeat(5_000), "x".repeat(9_001), "Sätze. ".repeat(3_000), format!("{}\n", "ü ".repeat(7_000))]
        {
            let cut = pieces(&text);
            assert!(cut.len() > 1 && checked(&cut).is_ok(), "{}", cut.len());
            match text.contains(' ') {
                true => assert_eq!(words(&cut.join(" ")), words(&text)),
                false => assert_eq!(cut.concat(), text),
            }
        }
    }

    #[test]
    fn every_fault_of_pieces_is_told_with_its_place() {
        let told = |pieces: &[String]| match checked(pieces) {
            Err(Refused::Violated(all)) => all,
            other => panic!("{other:?}"),
        };
        assert_eq!(told(&[]), [Violation::NoText]);
        let long = "é".repeat(MOST_CHARACTERS);
        assert!(checked(std::slice::from_ref(&long)).is_ok());
        let faulty = [" ".to_owned(), format!("{long}x"), "a\0".to_owned()];
        let expected =
            [Violation::Empty { at: 0 }, Violation::TooLong { at: 1, most: MOST_CHARACTERS }, Violation::Nul { at: 2 }];
        assert_eq!(told(&faulty), expected);
        assert_eq!(told(&vec!["x".to_owned(); MOST_PIECES + 1]), [Violation::TooMany(MOST_PIECES)]);
    }
}
