use crate::failure::Failure;
use crate::faults::{Strain, random_millis};
use crate::load::crowd::Crowd;
use crate::testbed::{Testbed, USERS};
use rand::RngExt;
use rand::rngs::StdRng;
use std::time::Instant;
use tokio::time::sleep;

/// Lets some strains happen one after another. Returns the user whose channel the engine refused,
/// and since when, if it did: deliveries to this user may be late until the end of the round.
pub(crate) async fn inject(
    testbed: &Testbed,
    strains: &[Strain],
    crowd: &mut Crowd,
    rng: &mut StdRng,
) -> Result<Option<(usize, Instant)>, Failure> {
    let mut refused = None;
    let (processes, gate) =
        (&testbed.processes, testbed.processes.engine.as_ref().map(|engine| &engine.gate));
    for strain in strains {
        match (strain, gate) {
            (Strain::ClockJumped, _) => {
                // A remote engine refuses requests that are signed with another time than its own.
                let by = if gate.is_some() { "5m" } else { "400d" };
                let time = random_millis(rng, 2000..3000);
                processes.set_a_clock_wrong(by, time, rng).await?;
            }
            (Strain::LargeExpiry, _) => crowd.expire().await,
            (Strain::LargeRetraction, _) => crowd.cancel().await,
            (Strain::EngineSlow, Some(gate)) => {
                gate.slow(random_millis(rng, 50..200));
                sleep(random_millis(rng, 2000..4000)).await;
                gate.slow(Default::default());
            }
            (Strain::ChannelRefused, Some(gate)) => {
                let user = rng.random_range(0..USERS);
                refused = Some((user, Instant::now()));
                gate.refuse_channel(testbed.channel(user));
                sleep(random_millis(rng, 2000..4000)).await;
                gate.refuse_channel(None);
            }
            (Strain::EngineSlow | Strain::ChannelRefused, None) => {}
        }
    }
    Ok(refused)
}
