//! Secrets that the program is given, which it does not repeat when it refuses them, or that it makes.

use std::ffi::OsStr;

use clap::builder::TypedValueParser;
use scim_core::auth::Secret;
use scim_core::pagination::CursorKey;

/// Takes what a header can carry as one word, and does not repeat what it refuses: that is a secret
/// all the same.
#[derive(Clone)]
pub(super) struct TokenParser;

impl TypedValueParser for TokenParser {
    type Value = Secret;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Secret, clap::Error> {
        let text = value.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
        text.and_then(|text| Secret::new(text).ok()).ok_or_else(|| {
            let reason = "the token (`--token` or SCIM_TOKEN) is not one or more visible ASCII characters, \
                          without spaces\n";
            clap::Error::raw(clap::error::ErrorKind::ValueValidation, reason).with_cmd(command)
        })
    }
}

/// Takes what is long enough, and does not repeat what it refuses either.
#[derive(Clone)]
pub(super) struct CursorKeyParser;

impl TypedValueParser for CursorKeyParser {
    type Value = CursorKey;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<CursorKey, clap::Error> {
        let text = value.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
        text.and_then(|text| CursorKey::new(text).ok()).ok_or_else(|| {
            let reason = "the cursor key (`--cursor-key` or SCIM_CURSOR_KEY) is not 32 or more visible ASCII \
                          characters\n";
            clap::Error::raw(clap::error::ErrorKind::ValueValidation, reason).with_cmd(command)
        })
    }
}

/// A token with 244 random bits.
pub(crate) fn random_token() -> anyhow::Result<Secret> {
    Ok(Secret::new(format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple()))?)
}

/// A key with 244 random bits.
pub(crate) fn random_cursor_key() -> anyhow::Result<CursorKey> {
    Ok(CursorKey::new([uuid::Uuid::new_v4().into_bytes(), uuid::Uuid::new_v4().into_bytes()].concat())?)
}
