//! With upstreams that take a fixed time a search takes no longer than its longest necessary chain
//! of calls: everything else happens at once.

use privachat_tests::critical_path::measure;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wall_time_of_each_mode_is_its_longest_necessary_chain() {
    let mut slow = Vec::new();
    for search in measure().await {
        let (name, ratio, outcome) = (&search.name, search.ratio(), &search.outcome);
        println!(
            "{name}: wall {:.3?}, longest necessary chain {:.3?}, ratio {ratio:.3}; {:?}",
            search.wall, search.chain, outcome.timings
        );
        assert_eq!(outcome.model_used, "double", "{:?}", outcome.warnings);
        assert_eq!(search.has_read(), !name.starts_with("speed"));
        if ratio > 1.05 {
            slow.push(format!("{name}: {ratio:.3}"));
        }
    }
    assert!(slow.is_empty(), "longer than 1.05 × the chain: {slow:?}");
}
