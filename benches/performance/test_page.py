"""What makes the performance page of results; that the scripts beside it can be read."""

import json
import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

import page
import run


def ours(case, median, **more):
    return {"case": case, "who": "pcml", "median": median, "quartiles": [0.9 * median, 1.2 * median], "runs": 7, **more}


def other(case, who, median, ratio):
    return {**ours(case, median, ratio=ratio, ratio_quartiles=[0.8 * ratio, 1.25 * ratio]), "who": who}


RESULTS = {
    "machine": {"when": "2026-01-01 00:00 UTC", "processor": "a <fast> one"},
    "quick": False,
    "sections": {
        "product": {"records": [{"case": "f32, 1024 x 1024 x 1024", "who": "faer", "median": 0.02, "quartiles": [0.01, 0.04], "runs": 9, "flops": 2e9}]},
        "product at the end": {"records": []},
        "projection": {"records": [
            ours("1000000 cells", 4e-3, bytes=64e6), other("1000000 cells", "memory", 2e-3, 0.5),
            ours("1000000 cells, 2 threads", 3e-3, bytes=64e6), other("1000000 cells, 2 threads", "memory", 3e-4, 0.1),
        ]},
        "fno": {"records": [ours("fno_2d_64x64", 9.0, flops=2e8, bytes=1e6), other("fno_2d_64x64", "pcml, 2 threads", 5.0, 0.6)]},
        "peers/fno": {"records": [ours("fno_2d_64x64", 2e-3), other("fno_2d_64x64", "torch", 2e-2, 10.0), other("fno_2d_64x64", "jax", 1e-3, 0.5)]},
        "peers/mlp": {"records": [], "missing": "no program gfortran"},
        "threads": {"records": [ours("perceptron, 256 rows", 1e-4), other("perceptron, 256 rows", "two threads", 1.25e-4, 1.25)]},
    },
}


class Page(unittest.TestCase):
    def test_numbers_have_three_digits_and_a_unit(self):
        self.assertEqual([page.digits(v) for v in (0, 0.012345, 1.5, 99.96, 123.4, 98765.0)], ["0", "0.0123", "1.50", "100.0", "123", "98,800"])
        self.assertEqual([page.seconds(v) for v in (2.0, 0.0125, 3e-6, 4.5e-8)], ["2.00 s", "12.5 ms", "3.00 us", "45.0 ns"])

    def test_floors_are_of_the_same_run(self):
        self.assertEqual(page.product_rates(RESULTS), {"f32": 1e11})
        # Two threads at once are none of one thread's rates.
        self.assertEqual(page.memory_rates(RESULTS), {64e6: 64e6 / 2e-3})

    def test_tables_join_a_case_of_bench_and_peers(self):
        group = next(group for group in page.GROUPS if "peers/fno" in group[1])
        row = page.table(RESULTS, group)[2:]
        # Times of the peers' rounds, work of the bench: 0.2 GFLOP at 100 GFLOP/s are 2 ms.
        self.assertEqual(row, [
            "| fno_2d_64x64 | 2.00 ms (1.80 ms to 2.40 ms), 7 runs | 0.200 GFLOP at 100 GFLOP/s | 1.00 | "
            "torch 20.0 ms (18.0 ms to 24.0 ms), 10.0 times (8.00 to 12.5); jax 1.00 ms (900 us to 1.20 ms), 0.500 times (0.400 to 0.625); "
            "pcml, 2 threads 5.00 s (4.50 s to 6.00 s), 0.600 times 9.00 s (0.480 to 0.750) |"
        ])

    def test_the_page_tells_what_is_missing_and_what_is_not_reached(self):
        text, drawn = page.page(RESULTS, "performance")
        self.assertIn("Not measured: `peers/mlp`: no program gfortran.", text)
        self.assertIn("| Projection of a field onto one row: 1000000 cells, 2 threads | 0.100 | 213 GB/s |", text)
        self.assertIn("- fno_2d_64x64: jax, 0.500 of our time (0.400 to 0.625)", text)
        self.assertIn("| perceptron, 256 rows | 100 us (90.0 us to 120 us) | two threads | 1.60 times (1.28 to 2.00) |", text)
        self.assertIn("Not in this run: Within bounds; ", text)
        self.assertNotIn("## Within bounds", text)
        self.assertNotIn("quick run", text)
        self.assertIn("quick run", page.page({**RESULTS, "quick": True}, "performance")[0])
        self.assertEqual(set(drawn), {"peers.svg", "reached.svg", "together.svg"})
        for name, picture in drawn.items():
            self.assertIn(f"(performance/{name})", text)
            dots = [node for node in xml.fromstring(picture) if node.tag.endswith("circle")]
            self.assertTrue(dots and all(0 <= float(node.get("cx")) <= 900 for node in dots), name)

    def test_the_short_table_is_short_and_goes_between_its_marks(self):
        self.assertLessEqual(len(page.SHORT), 10)
        lines = page.short_table(RESULTS)
        self.assertEqual(len(lines), 2 + 2)
        self.assertEqual(page.between("a\n<!-- x -->\nold\n<!-- end x -->\nb", "x", "new\n"), "a\n<!-- x -->\nnew\n<!-- end x -->\nb")

    def test_files_are_written(self):
        with tempfile.TemporaryDirectory() as folder:
            path, readme = Path(folder) / "performance.md", Path(folder) / "README.md"
            readme.write_text("<!-- performance -->\n<!-- end performance -->\n")
            page.write(RESULTS, path, readme)
            self.assertTrue(path.read_text().startswith("# Performance\n"))
            path.write_text(page.between(path.read_text(), "by hand", "## A profile\n").replace("# Performance", "# On another machine", 1))
            page.write(RESULTS, path, readme)
            self.assertIn("\n<!-- by hand -->\n## A profile\n<!-- end", path.read_text())
            self.assertTrue(path.read_text().startswith("# On another machine\n"))
            self.assertTrue((Path(folder) / "performance/peers.svg").is_file())
            self.assertIn("projection of 10^6 cells", readme.read_text())


class Run(unittest.TestCase):
    def test_ratios_are_medians_over_rounds(self):
        # The machine is twice as slow in the last round, for both.
        made = run.record("case", "torch", [2.0, 2.0, 8.0], [1.0, 2.0, 4.0])
        self.assertEqual((made["median"], made["runs"], made["ratio"], made["ratio_quartiles"]), (2.0, 3, 2.0, [1.5, 2.0]))

    def test_records_of_criterion(self):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "group/function/new"
            place.mkdir(parents=True)
            (place / "benchmark.json").write_text(json.dumps({"group_id": "100", "function_id": "condition", "value_str": None}))
            (place / "sample.json").write_text(json.dumps({"iters": [1.0, 2.0, 4.0], "times": [1e9, 4e9, 12e9]}))
            (made,) = run.of_criterion(Path(folder))
        self.assertEqual((made["case"], made["who"], made["median"], made["runs"]), ("100, condition", "pcml", 2.0, 3))

    def test_sections_are_those_of_the_page(self):
        named = {name for group in page.GROUPS for name in group[1]} | set(page.TOGETHER) | set(page.PRODUCTS)
        self.assertEqual(set(run.sections()), named)

    def test_every_script_compiles(self):
        scripts = sorted((run.ROOT / "benches").glob("**/*.py"))
        self.assertGreater(len(scripts), 6)
        for script in scripts:
            compile(script.read_text(), str(script), "exec")


if __name__ == "__main__":
    unittest.main()
