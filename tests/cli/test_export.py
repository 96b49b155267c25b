"""``algoperf-lite export``."""


def test_export_says_what_it_wrote_and_how_to_run_it(cli, tmp_path):
    folder = tmp_path / "mine"
    code, out, err = cli("export", "-s", "nadamw[schedule=rex]", "-o", folder, "--author", "Ada L.")
    assert (code, err) == (0, "")
    for name in ("submission.py", "submission_info.yml", "tuning_search_space.json"):
        assert f"wrote {folder / name}\n" in out
        assert (folder / name).is_file()
    count = sum(path.is_file() for path in (folder / "vendored").rglob("*"))
    assert f"wrote {folder / 'vendored'}, {count} files\n" in out
    assert f"-s algoperf:{folder}/submission.py,search_space=none -w zipf_lm" in out
    assert 'authors: "Ada L."\n' in (folder / "submission_info.yml").read_text()

    code, out, err = cli("export", "-s", "nadamw", "-o", folder)
    assert (code, out) == (2, "")
    assert f"{folder} exists and is left alone" in err


def test_export_refuses_what_algoperf_has_no_call_for(cli, tmp_path):
    code, out, err = cli("export", "-s", "cyclical_curriculum", "-o", tmp_path / "out")
    assert (code, out) == (2, "")
    assert "cyclical_curriculum cannot be exported: its select() has no counterpart" in err


def test_export_names_packages_that_algoperf_lacks(cli, tmp_path):
    path = tmp_path / "curvature.py"
    path.write_text("import scipy\nfrom submissions.nadamw_default import submission\n")
    code, out, _ = cli("export", "-s", path, "-o", tmp_path / "out")
    assert code == 0
    assert "It imports scipy, which AlgoPerf does not bring." in out
    assert f"-s algoperf:{tmp_path / 'out'}/submission.py -w zipf_lm" in out
