use serde::{Deserialize, Serialize};

use crate::{InternalNotification, MAX_IDS, NotificationId, OpId, Tag, UserId};

/// The body of a push.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PushRequest {
    /// Whom to.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 10_000))]
    pub user_ids: Vec<UserId>,
    /// What.
    pub notification: InternalNotification,
}

/// The body that marks notifications opened or pending again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MarkRequest {
    /// These, at most [`MAX_IDS`]; unknown ones are skipped.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 500))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<NotificationId>>,
    /// Or all of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// With `all`: those added up to this seq, which the user saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<u64>,
    /// With `through`: its tag; refused when the server's record there has another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    /// A repeat with the same one does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<OpId>,
}

/// What a [`MarkRequest`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkTarget<'a> {
    /// These notifications.
    Ids(&'a [NotificationId]),
    /// All, up to that seq; to the head without one.
    All {
        /// A seq, inclusive.
        through: Option<u64>,
        /// Its tag, if it is to be compared.
        tag: Option<Tag>,
    },
}

impl MarkRequest {
    /// What it is about.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it: both or neither of `ids` and `all`, too many ids, `through` or `tag` without
    /// `all`, `tag` without `through`.
    pub fn target(&self) -> Result<MarkTarget<'_>, &'static str> {
        match &self.ids {
            Some(_) if self.all => Err("give either `ids` or `all`, not both"),
            Some(_) if self.through.is_some() || self.tag.is_some() => {
                Err("`through` and `tag` go with `all`")
            }
            Some(ids) if ids.is_empty() => Err("`ids` must not be empty"),
            Some(ids) if ids.len() > MAX_IDS => Err("`ids` has at most 500 ids"),
            Some(ids) => Ok(MarkTarget::Ids(ids)),
            None if !self.all => Err("give `ids`, or `all`: true"),
            None if self.tag.is_some() && self.through.is_none() => Err("`tag` goes with `through`"),
            None => Ok(MarkTarget::All { through: self.through, tag: self.tag }),
        }
    }
}
