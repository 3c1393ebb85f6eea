use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use pusher_protocol::PresenceMember;
use serde::de::DeserializeOwned;

use crate::Error;

/// The members of a presence channel. A user with several connections is one member. Cheap to
/// clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    all: Arc<BTreeMap<String, Member>>,
    me: Option<Arc<str>>,
}

/// A member of a presence channel. Cheap to clone. `Debug` does not show the info.
#[derive(Clone, PartialEq, Eq)]
pub struct Member {
    id: Arc<str>,
    info: Arc<str>,
}

/// The most members that are stored: more than any server allows.
const MAX_MEMBERS: usize = 10_000;

impl Members {
    pub(crate) fn new(members: pusher_protocol::Members, me: Option<Arc<str>>) -> Self {
        let members = members.into_map().into_iter();
        let all = members.map(|(id, info)| (id.clone(), Member { id: id.into(), info: info.into() }));
        Self { all: Arc::new(all.collect()), me }
    }

    /// Adds a member and returns whether it is new.
    pub(crate) fn insert(&mut self, member: Member) -> bool {
        if self.all.len() >= MAX_MEMBERS || self.all.contains_key(member.id()) {
            return false;
        }
        Arc::make_mut(&mut self.all).insert(member.id().to_owned(), member);
        true
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<Member> {
        if !self.all.contains_key(id) {
            return None;
        }
        Arc::make_mut(&mut self.all).remove(id)
    }

    /// Returns the number of members.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Returns the member that this connection subscribed as.
    pub fn me(&self) -> Option<&Member> {
        self.get(self.me.as_deref()?)
    }

    /// Returns the member with this user id.
    pub fn get(&self, id: &str) -> Option<&Member> {
        self.all.get(id)
    }

    /// Iterates over the members, ordered by user id.
    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.all.values()
    }
}

impl Member {
    /// Returns the user's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the `user_info` from the auth endpoint as JSON text; `null` if there is none.
    pub fn info(&self) -> &str {
        &self.info
    }

    /// Parses the `user_info`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Data`](crate::ErrorKind::Data) if it is not JSON of this type.
    pub fn info_as<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Error::parse_json(&self.info)
    }
}

impl From<PresenceMember> for Member {
    fn from(member: PresenceMember) -> Self {
        Self { id: member.id.into(), info: member.info.into() }
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("id", &self.id).finish_non_exhaustive()
    }
}
