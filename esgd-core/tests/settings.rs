//! Settings as a config writes them.

mod support;

use esgd_core::{Settings, TestFunction, strategy::Value};
use proptest::prelude::*;
use support::any_settings;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn settings_survive_a_round_trip(settings in any_settings(), seed in 0..=i64::MAX as u64) {
        // TOML has no integers above this.
        let settings = Settings { seed, ..settings };
        prop_assert_eq!(settings.check(), Ok(()));
        let text = toml::to_string(&settings).unwrap();
        prop_assert_eq!(toml::from_str::<Settings>(&text).unwrap(), settings);
    }
}

/// In the table itself and in each table within it, at any depth.
#[test]
fn an_unknown_field_is_an_error_that_names_it() {
    let mut seen = 0;
    let mut tables = vec![toml::Table::try_from(Settings::paper()).unwrap()];
    let whole = tables[0].clone();
    for (name, value) in &whole {
        // What a strategy has as parameters is known by `check`.
        if let (toml::Value::Table(inner), true) = (value, name != "strategy") {
            let (mut spoiled, mut inner) = (whole.clone(), inner.clone());
            inner.insert("lamdba".into(), 3.into());
            spoiled.insert(name.clone(), inner.into());
            tables.push(spoiled);
        }
    }
    tables[0].insert("lamdba".into(), 3.into());
    for table in tables {
        let text = toml::to_string(&table).unwrap();
        let message = toml::from_str::<Settings>(&text).unwrap_err().to_string();
        assert!(message.contains("lamdba"), "{message}");
        seen += 1;
    }
    assert_eq!(seen, 1 + 4, "guarantee, mutation, recipes and fine-tuning are tables");

    let mut settings = Settings { optimizers: TestFunction::optimizers(), ..Settings::paper() };
    settings.strategy.values.insert("lamdba".into(), Value::Number(3.0));
    let message = settings.check().unwrap_err().to_string();
    assert!(message.contains("strategy.lamdba is no parameter"), "{message}");
}
