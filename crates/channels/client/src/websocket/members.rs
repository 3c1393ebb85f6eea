use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use pusher_protocol::PresenceMember;
use serde::de::DeserializeOwned;

use crate::Error;

/// Who is on a presence channel: each user once, however many connections they have. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    all: Arc<BTreeMap<String, Member>>,
    me: Option<Arc<str>>,
}

/// A user on a presence channel. Cheap to clone. `Debug` does not show the info.
#[derive(Clone, PartialEq, Eq)]
pub struct Member {
    id: Arc<str>,
    info: Arc<str>,
}

/// More members than any server allows; those beyond are not kept.
const MOST: usize = 10_000;

impl Members {
    pub(crate) fn new(members: pusher_protocol::Members, me: Option<Arc<str>>) -> Self {
        let members = members.into_map().into_iter();
        let all = members.map(|(id, info)| (id.clone(), Member { id: id.into(), info: info.into() }));
        Self { all: Arc::new(all.collect()), me }
    }

    /// Adds a member; whether it was not there.
    pub(crate) fn insert(&mut self, member: Member) -> bool {
        if self.all.len() >= MOST || self.all.contains_key(member.id()) {
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

    /// How many users.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// This connection's own user.
    pub fn me(&self) -> Option<&Member> {
        self.get(self.me.as_deref()?)
    }

    /// The user with this id.
    pub fn get(&self, id: &str) -> Option<&Member> {
        self.all.get(id)
    }

    /// All, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.all.values()
    }
}

impl Member {
    /// The user's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The user's `user_info`, which the auth endpoint gave, as JSON text; `null` when there is none.
    pub fn info(&self) -> &str {
        &self.info
    }

    /// The user's `user_info` as a value.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](crate::ErrorKind::Data) when it is not of that shape.
    pub fn info_as<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Error::reading(&self.info)
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
