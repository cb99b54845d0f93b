"""Recomputes with NumPy and SciPy what independent.pl asked the server, from formulas of its own.

Fieller's bounds are the roots of (m_t - R m_c)^2 = q^2 (s_t + R^2 s_c) in R, in extended precision; p-values of
rank tests come from scipy.stats, or from all arrangements where SciPy has no exact form with ties.
"""
import itertools
import sys
import warnings

import numpy
from scipy import special, stats

TOLERANCE = 1e-9
warnings.filterwarnings("ignore", "Sample size too small")
compared, wrong, largest, shown = {}, {}, {}, 0


def number(text):
    return None if text == "null" else float(text)


def check(what, line, got, want):
    """Counts one answer; got and want are lists of numbers (None for NULL) and texts."""
    global shown
    error = 0.0
    for g, w in zip(got, want):
        if g is None or w is None or isinstance(w, str):
            error = max(error, 0.0 if g == w else float("inf"))
        else:
            # p-values of e-100 must agree in their digits; effects and bounds are of the order of one
            scale = abs(w) if abs(w) < 1e-3 and w != 0 and what != "headline" else max(1.0, abs(w))
            error = max(error, abs(g - w) / scale)
    compared[what] = compared.get(what, 0) + 1
    largest[what] = max(largest.get(what, 0.0), error)
    if not error <= TOLERANCE:
        wrong[what] = wrong.get(what, 0) + 1
        if shown < 5:
            shown += 1
            print(f"{what}: {error:g}\n  {line}\n  {want}", file=sys.stderr)


def headlines(lines):
    """Welch's test of two proportions, absolute and relative, all rows at once."""
    table = [line.split("\t") for line in lines]
    x_c, n_c, x_t, n_t = (numpy.array([float(row[i]) for row in table]) for i in (2, 3, 4, 5))
    relative = numpy.array([row[1] == "relative" for row in table])
    m_c, m_t = x_c / n_c, x_t / n_t
    s_c, s_t = m_c * (1 - m_c) / n_c, m_t * (1 - m_t) / n_t
    with numpy.errstate(all="ignore"):
        variance = s_c + s_t
        statistic = (m_t - m_c) / numpy.sqrt(variance)
        df = variance**2 / (s_c**2 / (n_c - 1) + s_t**2 / (n_t - 1))
        p = special.betainc(df / 2, 0.5, df / (df + statistic**2))
        q = special.stdtrit(df, 0.975)
        half = q * numpy.sqrt(variance)
        long_c, long_t, long_q = (numpy.array(a, dtype=numpy.longdouble) for a in (m_c, m_t, q))
        square = long_c**2 - long_q**2 * s_c
        middle = -2 * long_c * long_t
        last = long_t**2 - long_q**2 * s_t
        root = numpy.sqrt(middle**2 - 4 * square * last)
        bounds = [(-middle - root) / (2 * square) - 1, (-middle + root) / (2 * square) - 1]
        delta = numpy.sqrt(s_t / m_c**2 + s_c * m_t**2 / m_c**4)
    for i, row in enumerate(table):
        status = "ok"
        want = [m_t[i] - m_c[i], numpy.sqrt(variance[i]), m_t[i] - m_c[i] - half[i], m_t[i] - m_c[i] + half[i], statistic[i], df[i], p[i], None, m_c[i], m_t[i]]
        if relative[i] and m_c[i] > 0:
            want[:4] = [m_t[i] / m_c[i] - 1, delta[i], float(bounds[0][i]), float(bounds[1][i])]
            if square[i] <= 0:
                status, want[2:4] = "unbounded", [None, None]
        if variance[i] == 0:
            status, want[1:7] = "zero_variance", [0.0, None, None, None, None, None]
            if relative[i] and m_c[i] == 0:
                want[:2] = [None, None]
        elif relative[i] and m_c[i] == 0:
            status, want[:4] = "zero_control_mean", [None, None, None, None]
        got = [number(text) for text in row[6:16]]
        if want[6] is not None:
            # the digits of tiny p-values count, too
            check_p = abs(got[6] / want[6] - 1)
            want[7] = got[7] if check_p < TOLERANCE and abs(got[7] - numpy.log10(want[6])) < TOLERANCE else numpy.log10(want[6])
            if check_p >= TOLERANCE:
                want[6] = float("inf")
        check("headline", "\t".join(row), got + [row[16]], want + [status])


def arrangements(values, size, u):
    """P(U <= u), P(U >= u) over all choices of size of the values, as counts by rank sums."""
    ranks = numpy.rint(2 * stats.rankdata(values)).astype(int)
    sums = {(0, 0): 1}
    for rank in ranks:
        for (k, total), ways in list(sums.items()):
            if k < size:
                sums[k + 1, total + rank] = sums.get((k + 1, total + rank), 0) + ways
    final = {total - size * (size + 1): ways for (k, total), ways in sums.items() if k == size}
    everything = sum(final.values())
    return sum(w for s, w in final.items() if s <= 2 * u) / everything, sum(w for s, w in final.items() if s >= 2 * u) / everything


def signs(ranks, v):
    """P(V <= v), P(V >= v) over all signs of the ranks."""
    sums = {0: 1}
    for rank in numpy.rint(2 * ranks).astype(int):
        following = dict(sums)
        for total, ways in sums.items():
            following[total + rank] = following.get(total + rank, 0) + ways
        sums = following
    return sum(w for s, w in sums.items() if s <= 2 * v) / 2 ** len(ranks), sum(w for s, w in sums.items() if s >= 2 * v) / 2 ** len(ranks)


def tail(alternative, lower, upper):
    return upper if alternative == "greater" else lower if alternative == "less" else min(1.0, 2 * min(lower, upper))


cache = {}


def mann_whitney(line):
    _, method, alternative, c_text, t_text, statistic, effect, p_value = line.split("\t")
    c, t = ([float(v) for v in text.split(",")] for text in (c_text, t_text))
    u = sum((a > b) + 0.5 * (a == b) for a, b in itertools.product(t, c))
    if method == "exact":
        key = (c_text, t_text)
        if key not in cache:
            cache[key] = arrangements(c + t, len(t), u)
        p = tail(alternative, *cache[key])
    else:
        p = stats.mannwhitneyu(t, c, use_continuity=method == "corrected", alternative=alternative, method="asymptotic").pvalue
    check("mann_whitney", line, [number(statistic), number(effect), number(p_value)], [u, u / len(c) / len(t), p])


def wilcoxon(line):
    _, method, zeros, alternative, x_text, statistic, p_value = line.split("\t")
    x = numpy.array([float(v) for v in x_text.split(",")])
    kept = x if zeros == "pratt" else x[x != 0]
    ranks = stats.rankdata(numpy.abs(kept))
    v = ranks[kept > 0].sum()
    if method == "exact":
        key = (zeros, x_text)
        if key not in cache:
            cache[key] = signs(ranks[kept != 0], v)
        p = tail(alternative, *cache[key])
    else:
        p = stats.wilcoxon(x, zero_method=zeros, correction=method == "corrected", alternative=alternative, mode="approx").pvalue
    check("wilcoxon", line, [number(statistic), number(p_value)], [v, p])


def mcnemar(line):
    _, b, c, exact, chisq, corrected = line.split("\t")
    b, c = int(b), int(c)
    check(
        "mcnemar",
        line,
        [number(exact), number(chisq), number(corrected)],
        [stats.binomtest(b, b + c).pvalue, stats.chi2.sf((b - c) ** 2 / (b + c), 1), stats.chi2.sf(max(abs(b - c) - 1, 0) ** 2 / (b + c), 1)],
    )


with open(sys.argv[1]) as file:
    lines = [line.rstrip("\n") for line in file if "\t" in line]
headlines([line for line in lines if line.startswith("headline\t")])
for line in lines:
    if line.startswith("mann_whitney\t"):
        mann_whitney(line)
    elif line.startswith("wilcoxon\t"):
        wilcoxon(line)
    elif line.startswith("mcnemar\t"):
        mcnemar(line)
for what in compared:
    print(what, compared[what], wrong.get(what, 0), f"{largest[what]:.1e}", sep="\t")
