"""From a submission of ours to a directory that AlgoPerf 0.6 runs.

The modules that the submission uses go along with their imports rewritten (`vendoring`); `adapter`
drives it from AlgoPerf's functions; `texts` has the files that name it; `export` writes all that.
"""
