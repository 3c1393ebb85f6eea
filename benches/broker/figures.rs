use crate::peers::Peer;

/// The figures of each server, one for each round.
pub(crate) struct Figures(Vec<(Peer, Vec<f64>)>);

impl Figures {
    pub(crate) fn new(peers: &[Peer]) -> Self {
        Self(peers.iter().map(|peer| (*peer, Vec::new())).collect())
    }

    pub(crate) fn add(&mut self, peer: Peer, figure: f64) {
        let (_, figures) = self.0.iter_mut().find(|(of, _)| *of == peer).unwrap();
        figures.push(figure);
    }

    /// Prints a line for each server: its median, and the broker's median as a multiple of it.
    pub(crate) fn print(&self, what: &str, unit: &str) {
        let median_of = |peer| self.0.iter().find(|(of, _)| *of == peer).map(|(_, of)| median(of));
        let broker = median_of(Peer::Broker).unwrap();
        println!("{what}");
        for (peer, figures) in &self.0 {
            let figure = median(figures);
            let ratio = match peer {
                Peer::Broker => String::new(),
                _ => format!("   broker to it {:6.2}", broker / figure),
            };
            println!("  {:<10} {figure:10.1} {unit}{ratio}", peer.name());
        }
    }
}

fn median(figures: &[f64]) -> f64 {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
