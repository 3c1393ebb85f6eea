use serde::{Deserialize, Serialize};

use crate::{InternalNotification, MAX_IDS, NotificationId, OpId, Position, Tag, UserId};

/// The body of a push.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct PushRequest {
    /// The recipients.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 10_000))]
    pub user_ids: Vec<UserId>,
    /// The notification.
    pub notification: InternalNotification,
}

impl PushRequest {
    /// Makes a push to these users.
    pub fn new(user_ids: impl Into<Vec<UserId>>, notification: InternalNotification) -> Self {
        Self { user_ids: user_ids.into(), notification }
    }
}

/// The body of a request that marks notifications opened or pending again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct MarkRequest {
    /// The notifications to mark, at most [`MAX_IDS`]. Unknown ids are skipped.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 500))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<NotificationId>>,
    /// Marks all of them, instead of `ids`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// With `all`: only those added up to this seq, which the user has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<u64>,
    /// With `through`: its tag. The server refuses the request if its own tag there differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    /// The id of this write: a repeat with the same one does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<OpId>,
}

/// The notifications that a [`MarkRequest`] marks. A server must handle both cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkTarget<'a> {
    /// These notifications.
    Ids(&'a [NotificationId]),
    /// All notifications added up to `through`, or up to the head.
    All {
        /// The last seq, inclusive.
        through: Option<u64>,
        /// The tag that the change at `through` must have.
        tag: Option<Tag>,
    },
}

impl MarkRequest {
    /// Marks these notifications.
    pub fn ids(ids: impl Into<Vec<NotificationId>>) -> Self {
        Self { ids: Some(ids.into()), ..Self::default() }
    }

    /// Marks all notifications in the inbox.
    pub fn all() -> Self {
        Self { all: true, ..Self::default() }
    }

    /// Marks all notifications added up to a position, which the user has seen.
    pub fn all_through(position: Position) -> Self {
        Self { through: Some(position.seq), tag: position.tag, ..Self::all() }
    }

    /// Sets the id of this write.
    pub fn with_op(mut self, op: OpId) -> Self {
        self.op = Some(op);
        self
    }

    /// Returns which notifications the request marks.
    ///
    /// # Errors
    /// Returns what is wrong with the request, in a sentence for people: it has both or neither of
    /// `ids` and `all`, no id or too many, `through` or `tag` without `all`, or `tag` without
    /// `through`.
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const TAG: &str = "000000000000000a";

    fn read(value: Value) -> MarkRequest {
        serde_json::from_value(value).unwrap()
    }

    fn ids(count: usize) -> Vec<NotificationId> {
        (0..count).map(|number| NotificationId::new(format!("n{number}")).unwrap()).collect()
    }

    #[test]
    fn a_request_marks_ids_or_all() {
        let most = ids(MAX_IDS);
        assert_eq!(MarkRequest::ids(most.clone()).target(), Ok(MarkTarget::Ids(&most)));
        let tag = TAG.parse().ok();
        for (request, through, tag) in [
            (json!({"all": true}), None, None),
            (json!({"all": true, "through": 7}), Some(7), None),
            (json!({"all": true, "through": 7, "tag": TAG}), Some(7), tag),
        ] {
            assert_eq!(read(request).target(), Ok(MarkTarget::All { through, tag }));
        }
    }

    #[test]
    fn a_request_that_contradicts_itself_is_refused() {
        for request in [
            json!({}),
            json!({"through": 7}),
            json!({"ids": ["n"], "all": true}),
            json!({"ids": ["n"], "through": 7}),
            json!({"ids": ["n"], "tag": TAG}),
            json!({"ids": ["n"], "through": 7, "tag": TAG}),
            json!({"ids": []}),
            json!({"all": true, "tag": TAG}),
        ] {
            assert!(read(request.clone()).target().is_err(), "{request}");
        }
        assert!(MarkRequest::ids(ids(MAX_IDS + 1)).target().is_err());
    }

    #[test]
    fn requests_are_written_without_what_they_leave_out() {
        let op = OpId::new("o1").unwrap();
        let position = Position { seq: 7, tag: TAG.parse().ok() };
        for (request, wire) in [
            (MarkRequest::ids(ids(1)).with_op(op), json!({"ids": ["n0"], "op": "o1"})),
            (MarkRequest::all(), json!({"all": true})),
            (MarkRequest::all_through(position), json!({"all": true, "through": 7, "tag": TAG})),
        ] {
            assert_eq!(serde_json::to_value(&request).unwrap(), wire);
            assert_eq!(read(wire), request);
        }
    }
}
