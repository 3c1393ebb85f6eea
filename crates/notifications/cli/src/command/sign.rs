//! Prints the answer that an auth endpoint would give, without a server.

use clap::{Args, Subcommand};
use internal_notifications::with_causes;
use pusher_signer::{ChannelName, Signer, SocketId};
use serde_json::json;

use crate::env::Env;
use crate::error::Error;
use crate::output::Output;

/// Sign a channel authorization or a user sign-in, offline; print the auth JSON
///
/// Signs with PUSHER_APP_KEY and PUSHER_APP_SECRET.
#[derive(Args)]
pub(crate) struct Sign {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Authorize a connection to subscribe to a private or presence channel
    Channel {
        /// The connection's socket id, like 1234.1234
        #[arg(long, value_name = "S")]
        socket_id: SocketId,
        /// The channel, like private-ada
        #[arg(long, value_name = "C")]
        channel: ChannelName,
        /// For a presence channel: a JSON object with a user_id, signed as written
        #[arg(long, value_name = "JSON")]
        channel_data: Option<String>,
    },
    /// Sign a connection in as a user
    User {
        /// The connection's socket id, like 1234.1234
        #[arg(long, value_name = "S")]
        socket_id: SocketId,
        /// A JSON object with an id, signed as written
        #[arg(long, value_name = "JSON")]
        user_data: String,
    },
}

impl Sign {
    pub(crate) fn run(self, env: &Env, output: &mut Output) -> Result<(), Error> {
        let key = env.require("PUSHER_APP_KEY", "the app's key")?;
        let secret = env.require("PUSHER_APP_SECRET", "the app's secret")?;
        let signer = Signer::new(key, &secret);
        let json = match self.what {
            What::Channel { socket_id, channel, channel_data } => signer
                .authorize_channel(&socket_id, &channel, channel_data.as_deref())
                .map(|authorization| json!(authorization)),
            What::User { socket_id, user_data } => {
                signer.authenticate_user(&socket_id, &user_data).map(|authentication| json!(authentication))
            }
        };
        output.json(&json.map_err(|error| Error::usage(with_causes(&error)))?)
    }
}
