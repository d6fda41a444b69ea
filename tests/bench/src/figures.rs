//! Measurements and the goals that they are compared with.

/// One side of a row: a number for each round.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) side: String,
    pub(crate) unit: &'static str,
    pub(crate) samples: Vec<f64>,
}

impl Figure {
    pub(crate) fn new(side: &str, unit: &'static str) -> Self {
        Self {
            side: side.to_owned(),
            unit,
            samples: Vec::new(),
        }
    }

    pub(crate) fn of(side: &str, unit: &'static str, samples: Vec<f64>) -> Self {
        Self {
            samples,
            ..Self::new(side, unit)
        }
    }

    pub(crate) fn median(&self) -> f64 {
        median(&self.samples)
    }

    pub(crate) fn least(&self) -> f64 {
        self.samples.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn most(&self) -> f64 {
        self.samples
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max)
    }
}

pub(crate) fn median(samples: &[f64]) -> f64 {
    percentile(samples, 50)
}

/// The smallest sample that at least this percentage of all do not exceed.
pub(crate) fn percentile(samples: &[f64], percent: usize) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Met,
    Missed,
    NotMeasured,
}

/// One goal of a row and its result.
#[derive(Debug, Clone)]
pub(crate) struct Goal {
    pub(crate) text: String,
    pub(crate) measured: String,
    pub(crate) verdict: Verdict,
}

impl Goal {
    /// `ours` is at least `factor` times `theirs`, by their medians.
    pub(crate) fn ratio(factor: f64, ours: &Figure, theirs: &Figure) -> Self {
        let text = format!("≥ {factor} × {}", theirs.side);
        if theirs.samples.is_empty() {
            return Self::not_measured(text, "see below");
        }
        let ratio = ours.median() / theirs.median();
        let turns = ours.samples.iter().zip(&theirs.samples);
        let turns = Figure::of("", "", turns.map(|(ours, theirs)| ours / theirs).collect());
        Self {
            text,
            measured: format!("{ratio:.2} × ({:.2}–{:.2})", turns.least(), turns.most()),
            verdict: verdict(ratio >= factor),
        }
    }

    /// The median is at most `bound`.
    pub(crate) fn at_most(bound: f64, figure: &Figure) -> Self {
        Self::bound("≤", bound, figure, figure.median() <= bound)
    }

    /// The median is at least `bound`.
    pub(crate) fn at_least(bound: f64, figure: &Figure) -> Self {
        Self::bound("≥", bound, figure, figure.median() >= bound)
    }

    fn bound(sign: &str, bound: f64, figure: &Figure, met: bool) -> Self {
        let Figure { side, unit, .. } = figure;
        Self {
            text: format!("{side} {sign} {bound} {unit}"),
            measured: format!("{} {unit}", digits(figure.median())),
            verdict: verdict(met),
        }
    }

    pub(crate) fn not_measured(text: impl Into<String>, why: &str) -> Self {
        Self {
            text: text.into(),
            measured: format!("not measured: {why}"),
            verdict: Verdict::NotMeasured,
        }
    }
}

fn verdict(met: bool) -> Verdict {
    if met { Verdict::Met } else { Verdict::Missed }
}

/// A number with a suitable number of digits.
pub(crate) fn digits(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// One row of the table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) goals: Vec<Goal>,
    pub(crate) figures: Vec<Figure>,
    /// How it was measured, and what the sides guarantee.
    pub(crate) notes: Vec<String>,
}
