//! Takes the form apart: its fields, and the file to a temporary place that has no name and is gone with its last reader,
//! also when the portal is killed.

use std::fs::File;
use std::io::ErrorKind;

use axum::body::Bytes;
use axum::extract::multipart::{Field as Part, Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use tokio::io::AsyncWriteExt;

use super::{Refusal, Told};
use crate::forms::FieldErrors;
use crate::server::UPLOAD_LIMIT;
use crate::server::errors::AppError;
use crate::server::pieces::{Pace, in_pieces};

/// The longest text of a field beside the file.
const TEXT_LIMIT: usize = 4096;

/// The most fields of a form: the page sends half of them.
const FIELDS: usize = 16;

/// A file received.
pub struct Received {
    pub file: File,
    pub bytes: u64,
    /// What the person calls it.
    pub name: String,
}

/// What the form sent.
#[derive(Default)]
pub struct Sent {
    pub told: Told,
    pub file: Option<Received>,
    /// A file was chosen that has no content.
    pub empty: bool,
}

/// A form on its way.
pub struct Form {
    body: Multipart,
    pace: Pace,
    fields: usize,
}

/// What can go wrong while a file arrives.
enum Fault {
    Body(MultipartError),
    Disk(std::io::Error),
}

/// What a file field held.
enum Kept {
    File(Received),
    Empty,
    NotChosen,
}

impl Form {
    /// The form of a request.
    ///
    /// # Errors
    /// When it is none with files.
    pub async fn of(request: Request) -> Result<Self, AppError> {
        let (parts, body) = request.into_parts();
        let (body, pace) = in_pieces(body);
        let body = Multipart::from_request(Request::from_parts(parts, body), &()).await;
        let body = body.map_err(|_| AppError::BadRequest("An import is sent as a form with a file.".into()))?;
        Ok(Self { body, pace, fields: 0 })
    }

    async fn next(&mut self) -> Result<Option<(Part<'_>, &Pace)>, MultipartError> {
        self.fields += 1;
        let field = if self.fields > FIELDS { None } else { self.body.next_field().await? };
        self.pace.taken();
        Ok(field.map(|field| (field, &self.pace)))
    }

    /// The context of the form, its first field: nothing of it is kept before that is right.
    pub async fn context(&mut self) -> Result<String, AppError> {
        match self.next().await.map_err(broken)? {
            Some((field, pace)) if field.name() == Some("context") => text(field, pace).await,
            _ => Ok(String::new()),
        }
    }

    /// What was said of the file, as far as it comes next and can be read.
    pub async fn told(&mut self) -> Told {
        let mut told = Told::default();
        while let Ok(Some((field, pace))) = self.next().await {
            let name = field.name().unwrap_or_default().to_owned();
            // The file comes last; nothing of it is kept.
            let Ok(text) = text(field, pace).await else { break };
            if name == "file" || !told.take(&name, text) {
                break;
            }
        }
        told
    }

    /// Takes the rest of the form apart.
    pub async fn receive(mut self) -> Result<Sent, Refusal> {
        let mut sent = Sent::default();
        loop {
            match self.next().await {
                Ok(Some((field, pace))) if field.name() == Some("file") => match keep(field, pace).await {
                    Ok(Kept::File(file)) => sent.file = Some(file),
                    Ok(kept) => sent.empty = matches!(kept, Kept::Empty),
                    Err(error) => return Err(refused(error, sent)),
                },
                Ok(Some((field, pace))) => {
                    let name = field.name().unwrap_or_default().to_owned();
                    let text = text(field, pace).await?;
                    sent.told.take(&name, text);
                }
                Ok(None) => return Ok(sent),
                Err(error) => return Err(refused(Fault::Body(error), sent)),
            }
        }
    }
}

async fn chunk(field: &mut Part<'_>, pace: &Pace) -> Result<Option<Bytes>, MultipartError> {
    let chunk = field.chunk().await?;
    pace.taken();
    Ok(chunk)
}

async fn text(mut field: Part<'_>, pace: &Pace) -> Result<String, AppError> {
    let mut bytes = vec![];
    while let Some(chunk) = chunk(&mut field, pace).await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > TEXT_LIMIT {
            return Err(AppError::BadRequest("A field of the form is too long.".into()));
        }
    }
    bytes.retain(|byte| *byte != 0);
    String::from_utf8(bytes).map_err(|_| AppError::BadRequest("The form cannot be read.".into()))
}

/// Writes a file as it arrives. It lies in the folder that `TMPDIR` names.
async fn keep(mut field: Part<'_>, pace: &Pace) -> Result<Kept, Fault> {
    let name: String = field.file_name().unwrap_or_default().replace('\0', "");
    let file = tempfile::tempfile().map_err(Fault::Disk)?;
    let mut writer = tokio::fs::File::from_std(file.try_clone().map_err(Fault::Disk)?);
    let mut bytes = 0;
    while let Some(chunk) = chunk(&mut field, pace).await.map_err(Fault::Body)? {
        bytes += u64::try_from(chunk.len()).unwrap_or_default();
        writer.write_all(&chunk).await.map_err(Fault::Disk)?;
    }
    writer.flush().await.map_err(Fault::Disk)?;
    Ok(match (bytes, name.is_empty()) {
        (1.., _) => Kept::File(Received { file, bytes, name }),
        (0, false) => Kept::Empty,
        (0, true) => Kept::NotChosen,
    })
}

fn broken(_: MultipartError) -> AppError {
    AppError::BadRequest("The form arrived incomplete. Send it again.".into())
}

fn refused(fault: Fault, sent: Sent) -> Refusal {
    let told = |text: String, sent: Sent| Refusal::Form(Box::new(sent), FieldErrors::one("file", text));
    match fault {
        Fault::Body(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let most = UPLOAD_LIMIT / 1024 / 1024;
            told(format!("The file is larger than {most} MB. Split it and send the parts."), sent)
        }
        Fault::Body(error) => Refusal::App(broken(error)),
        Fault::Disk(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            tracing::error!(%error, "no room on the disk for an upload; it lies in the folder that TMPDIR names");
            told("The server has no room for the file now. Tell whoever runs it, and send the file later.".into(), sent)
        }
        Fault::Disk(error) => Refusal::App(AppError::Internal(format!("an upload cannot be kept: {error}"))),
    }
}
