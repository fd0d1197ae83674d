using System.Text.Json;

namespace Federated.Cli.Tests;

public sealed class PrivacyCommandTests : IDisposable
{
    private readonly FedProcess fed = new();

    public void Dispose() => fed.Dispose();

    private async Task<JsonElement> Json(string line)
    {
        Assert.True(await fed.RunAsync(line.Split(' ')) == 0, fed.Error);
        return JsonDocument.Parse(fed.Out).RootElement;
    }

    [Fact]
    public async Task EpsilonAnswersWithTheNumberAndAllThatItMeans()
    {
        var answer = await Json("privacy epsilon --mechanism gaussian --sigma 1 --q 0.01 --steps 1000 --delta 1e-5 --accountant pld --json");
        Assert.Equal(1.828243646, answer.GetProperty("epsilon").GetDouble(), 2e-6);
        Assert.Equal(1e-5, answer.GetProperty("delta").GetDouble());
        Assert.Equal("pld", answer.GetProperty("accountant").GetString());
        Assert.Equal("add-remove", answer.GetProperty("adjacency").GetString());
        Assert.Equal("client", answer.GetProperty("unit").GetString());
        Assert.Equal("central", answer.GetProperty("trust").GetString());
        Assert.Contains("independently with probability 0.01", answer.GetProperty("assumptions")[0].GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--sigma 1 --q 0.01 --steps 1000 --delta 1e-5 --accountant rdp", 2.101365272)]
    [InlineData("--sigma 2 --delta 1e-5 --accountant analytic-gaussian", 1.99309140442)]
    [InlineData("--sigma 1 --sample 100 --n 10000 --steps 1000 --delta 1e-6 --accountant rdp", 4.0212081)]
    [InlineData("--mechanism laplace --sigma 1 --delta 0", 1)]
    [InlineData("--mechanism shuffled --epsilon0 4 --n 10000 --steps 100 --delta 1e-6 --accountant rdp", 5.329149)]
    [InlineData("--mechanism randomized-response --epsilon0 1.5 --categories 3 --delta 0", 1.5)]
    public async Task EveryMechanismAndAccountantAnswers(string options, double expected) =>
        Assert.Equal(expected, (await Json($"privacy epsilon {options} --json")).GetProperty("epsilon").GetDouble(), 1.1e-4 * expected);

    [Fact]
    public async Task EpsilonAnswersForDeltaToo() => Assert.Equal(
        0.12693673750664395, (await Json("privacy epsilon --sigma 1 --epsilon 1 --accountant analytic-gaussian --json")).GetProperty("delta").GetDouble(), 1e-12);

    [Fact]
    public async Task AmplifyAnswers()
    {
        var answer = await Json("privacy amplify --epsilon0 1 --n 100000 --delta 1e-6 --bound fmt23 --json");
        Assert.Equal(0.012430, answer.GetProperty("epsilon").GetDouble(), 1e-6);
        Assert.Equal("fmt23", answer.GetProperty("accountant").GetString());
        Assert.Equal("replace-one", answer.GetProperty("adjacency").GetString());
        Assert.Equal("shuffle", answer.GetProperty("trust").GetString());
        var corrupted = await Json("privacy amplify --epsilon0 1 --n 100000 --corrupted 50000 --delta 1e-6 --json");
        Assert.True(corrupted.GetProperty("epsilon").GetDouble() > 1.3 * answer.GetProperty("epsilon").GetDouble());
    }

    [Fact]
    public async Task AuditPassesTheMechanismsAndFailsThemWithoutNoise()
    {
        var passed = await Json("privacy audit scalar.duchi frequency.grr.law central.dp-fedavg --samples 2000 --canaries 500 --seed 7 --json");
        Assert.True(passed.GetProperty("passed").GetBoolean());
        Assert.Equal(3, passed.GetProperty("findings").GetArrayLength());
        Assert.Equal("seeded simulation: reproducible, protects nobody", passed.GetProperty("randomness").GetString());
        var refuted = await Json("privacy audit scalar.duchi frequency.grr.law central.dp-fedavg --samples 2000 --canaries 500 --seed 7 --without-noise --json");
        Assert.Equal(3, refuted.GetProperty("findings").GetArrayLength());
        Assert.All(refuted.GetProperty("findings").EnumerateArray(), f => Assert.False(f.GetProperty("passed").GetBoolean()));
    }

    [Fact]
    public async Task AuditJudgesAnAttackThatWasMadeElsewhere()
    {
        var answer = await Json("privacy audit --canaries 1000 --guesses 1000 --correct 700 --delta 1e-5 --json");
        Assert.Equal(0.73174045, answer.GetProperty("epsilon_lower_bound").GetDouble(), 1e-6);
        Assert.Equal(2, await fed.RunAsync("privacy", "audit", "--guesses", "5"));
        Assert.Equal(2, await fed.RunAsync("privacy", "audit", "--epsilon", "0"));
        Assert.Equal(2, await fed.RunAsync("privacy", "audit", "no-such-mechanism"));
    }

    [Fact]
    public async Task NoiseBudgetAndEpsilonAgree()
    {
        var noise = await Json("privacy noise --epsilon 1 --delta 1e-5 --q 0.01 --steps 1000 --accountant rdp --json");
        var sigma = noise.GetProperty("noise_multiplier").GetDouble();
        Assert.Equal(1.513123, sigma, 1e-4);
        var budget = await Json($"privacy budget --epsilon 1 --delta 1e-5 --q 0.01 --sigma {sigma:R} --accountant rdp --spent 400 --json");
        Assert.Equal(1000, budget.GetProperty("steps").GetInt64());
        Assert.Equal(600, budget.GetProperty("steps_left").GetInt64());
    }

    [Fact]
    public async Task NoiseGivesBitsOfAShuffledSum() =>
        Assert.InRange((await Json("privacy noise --epsilon 1 --delta 1e-6 --levels 32 --json")).GetProperty("noise_bits_per_coordinate").GetInt64(), 73047, 73193);

    [Fact]
    public async Task ABudgetOfParticipationsIsAGuaranteeForTheClient()
    {
        var budget = await Json("privacy budget --epsilon 2 --delta 1e-6 --sigma 8 --accountant analytic-gaussian --unit participation --adjacency zero-out --json");
        Assert.Equal(12, budget.GetProperty("steps").GetInt64());
        Assert.Equal("client", budget.GetProperty("unit").GetString());
        Assert.Contains("No client takes part more than 12 times", budget.GetProperty("assumptions").EnumerateArray().Last().GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ExplainSpeaksOfAttacks()
    {
        var answer = await Json("privacy explain --epsilon 2 --delta 1e-6 --n 1000 --json");
        Assert.Equal(0.880797, answer.GetProperty("largest_accuracy").GetDouble(), 1e-6);
        Assert.Equal(0.07389156, answer.GetProperty("attacks")[1].GetProperty("largest_true_positive_rate").GetDouble(), 1e-6);
        Assert.Equal(0, await fed.RunAsync("privacy", "explain", "--epsilon", "0"));
        Assert.Contains("right at most 50 % of the time", fed.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MatrixAnswersWithTheGuaranteeTheSensitivityAndTheError()
    {
        var answer = await Json("privacy matrix --factorization sqrt-toeplitz --steps 1000 --sigma 2 --delta 1e-5 --json");
        Assert.Equal(1.99309140442, answer.GetProperty("epsilon").GetDouble(), 1e-9);
        Assert.Equal(1.80693195, answer.GetProperty("sensitivity").GetDouble(), 1e-6);
        Assert.Equal(2 * 3.10223906, answer.GetProperty("rms_error_over_clip").GetDouble(), 1e-5);
        Assert.Equal(2 * 22.3718573, answer.GetProperty("rms_error_of_independent_noise").GetDouble(), 1e-5);
        Assert.Equal("zero-out", answer.GetProperty("adjacency").GetString());
        var returning = await Json("privacy matrix --factorization banded --steps 200 --participations 4 --separation 50 --epsilon 2 --delta 1e-6 --json");
        Assert.Equal(2, returning.GetProperty("epsilon").GetDouble(), 1e-6);
        Assert.True(returning.GetProperty("rms_error_over_clip").GetDouble() < 0.5 * returning.GetProperty("rms_error_of_independent_noise").GetDouble());
        var sampled = await Json("privacy matrix --factorization banded-sqrt --bands 4 --steps 16 --sigma 3.2788193 --delta 1e-6 --q 0.0625 --json");
        Assert.Equal(1.69801, sampled.GetProperty("epsilon").GetDouble(), 1e-3);
        Assert.Equal("mmcc", sampled.GetProperty("accountant").GetString());
    }

    [Fact]
    public async Task TheLedgerStudyShowsWhatTheAverageRateHides()
    {
        var folder = Path.Combine(fed.Folder, "study");
        var rows = (await Json($"privacy study async-ledger --seeds 2 --out {folder} --json")).GetProperty("rows").EnumerateArray().ToArray();
        Assert.Equal(13, rows.Length);
        Assert.All(rows, row =>
        {
            Assert.Equal(10, row.GetProperty("mean_participations").GetDouble());
            Assert.Equal(0.149, row.GetProperty("naive_epsilon").GetDouble(), 1e-3);
            Assert.True(row.GetProperty("worst_epsilon").GetDouble() > 15 * row.GetProperty("naive_epsilon").GetDouble());
        });
        var capped = rows.Where(r => r.GetProperty("participation").GetString()!.Contains("cap", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(capped);
        Assert.All(capped, row =>
            Assert.Equal(20, row.GetProperty("most_participations").GetDouble()));
        Assert.Equal(27, File.ReadAllLines(Path.Combine(folder, "rows.csv")).Length);
        Assert.Equal(14, File.ReadAllLines(Path.Combine(folder, "summary.csv")).Length);
    }

    [Fact]
    public async Task TheCounterAndOptimisationStudiesRepeatThemselves()
    {
        const string counter = "privacy study continual-counter --seeds 1 --largest 4096";
        Assert.Equal(0, await fed.RunAsync(counter.Split(' ')));
        var first = fed.Out;
        Assert.Contains("shuffle, k = 5", first, StringComparison.Ordinal);
        Assert.Equal(0, await fed.RunAsync(counter.Split(' ')));
        Assert.Equal(first, fed.Out);
        var rows = (await Json("privacy study shuffle-sco --seeds 3 --largest 4096 --json")).GetProperty("rows").EnumerateArray()
            .ToDictionary(r => (r.GetProperty("optimizer").GetString(), r.GetProperty("trust").GetString()), r => r.GetProperty("excess_loss").GetDouble());
        Assert.Equal(12, rows.Count);
        Assert.True(rows[("accelerated (logistic)", "shuffle")] < rows[("accelerated (logistic)", "local")]);
    }

    [Fact]
    public async Task TheRegressionStudyNeedsMoreClientsTheMoreFeaturesThereAre()
    {
        const string regression = "privacy study regression --seeds 1 --largest 100000";
        Assert.Equal(0, await fed.RunAsync(regression.Split(' ')));
        var first = fed.Out;
        Assert.Equal(0, await fed.RunAsync(regression.Split(' ')));
        Assert.Equal(first, fed.Out);
        var errors = (await Json($"{regression} --json")).GetProperty("rows").EnumerateArray()
            .ToDictionary(r => (r.GetProperty("dimension").GetString(), r.GetProperty("clients").GetString(), r.GetProperty("epsilon").GetString()), r => r.GetProperty("error").GetDouble());
        Assert.Equal(12, errors.Count);
        Assert.True(errors[("5", "100000", "none")] < 0.01);
        Assert.True(errors[("5", "100000", "4")] < errors[("5", "10000", "4")]);
        Assert.True(errors[("5", "100000", "4")] < errors[("10", "100000", "4")]);
        Assert.True(errors[("5", "100000", "4")] < errors[("5", "100000", "1")]);
    }

    [Theory]
    [InlineData("matrix --steps 10 --delta 1e-6", "Give one of --sigma and --epsilon")]
    [InlineData("matrix --steps 0 --sigma 1 --delta 1e-6", "--steps must be 1 or more; there is 0")]
    [InlineData("matrix --steps 10 --sigma 1 --delta 1e-6 --factorization magic", "No factorisation 'magic'")]
    [InlineData("matrix --steps 10 --sigma -1 --delta 1e-6", "must be positive")]
    [InlineData("matrix --steps 100 --sigma 1 --delta 1e-6 --q 0.1", "--q needs --sigma")]
    [InlineData("study magic", "There is no study 'magic'; there are shuffle-sco")]
    [InlineData("study async-ledger --seeds 0", "--seeds must be 1 or more")]
    [InlineData("study shuffle-sco --largest 5", "Every size of shuffle-sco is above --largest 5")]
    [InlineData("epsilon --sigma 0 --delta 1e-5", "must be positive and finite, but is 0")]
    [InlineData("epsilon --sigma -1 --delta 1e-5", "must be positive and finite, but is -1")]
    [InlineData("epsilon --mechanism discrete-gaussian --sigma -1 --delta 1e-5", "--sigma must be positive; there is -1")]
    [InlineData("epsilon --sigma 1 --q 1.5 --delta 1e-5", "must lie in [0, 1], but is 1.5")]
    [InlineData("epsilon --sigma 1 --delta 1", "must lie in [0, 1), but is 1")]
    [InlineData("epsilon --sigma 1 --delta 0", "No finite ε is certified at δ = 0")]
    [InlineData("epsilon --sigma 1", "--delta is needed")]
    [InlineData("epsilon --delta 1e-5", "--sigma is needed")]
    [InlineData("epsilon --sigma 1 --delta 1e-5 --steps 0", "--steps must be 1 or more")]
    [InlineData("epsilon --sigma 1 --delta 1e-5 --accountant gdp", "There is no accountant 'gdp'")]
    [InlineData("epsilon --sigma 1 --delta 1e-5 --mechanism magic", "There is no mechanism 'magic'")]
    [InlineData("epsilon --sigma 1 --q 0.1 --adjacency replace-one --delta 1e-5", "add-remove and zero-out")]
    [InlineData("epsilon --sigma 1 --sample 10 --n 5 --delta 1e-5", "cannot be larger than its population")]
    [InlineData("epsilon --sigma 1 --sample 10 --n 50 --q 0.1 --delta 1e-5", "give one of them")]
    [InlineData("epsilon --mechanism shuffled --epsilon0 1 --n 10 --adjacency add-remove --delta 1e-5", "must be replace-one")]
    [InlineData("amplify --epsilon0 1 --n 0 --delta 1e-6", "at least one honest report")]
    [InlineData("amplify --epsilon0 -1 --n 10 --delta 1e-6", "positive, finite ε₀, but got -1")]
    [InlineData("amplify --epsilon0 1 --n 10 --delta 0", "δ must lie strictly between 0 and 1")]
    [InlineData("amplify --epsilon0 8 --n 1000 --delta 1e-6 --bound fmt23-closed", "is proven for ε₀ ≤")]
    [InlineData("amplify --epsilon0 1 --n 1000 --delta 1e-6 --bound best", "There is no shuffle bound 'best'")]
    [InlineData("noise --epsilon 0 --delta 1e-6", "target ε must be positive")]
    [InlineData("budget --epsilon 0.1 --delta 1e-6 --sigma 1", "does not cover a single step")]
    [InlineData("explain --epsilon -1", "--epsilon must be finite and 0 or more")]
    [InlineData("explain --epsilon 1 --delta 2", "--delta in [0, 1)")]
    public async Task NonsenseIsAClearErrorAnd2(string line, string message)
    {
        Assert.Equal(2, await fed.RunAsync(["privacy", .. line.Split(' ')]));
        Assert.Contains(message, fed.Error, StringComparison.Ordinal);
        Assert.Empty(fed.Out);
    }

    [Fact]
    public async Task BudgetOfAFolderSaysWhatIsSpentAndLeftWithTheStatement()
    {
        var file = Path.Combine(fed.Folder, "private.yaml");
        await File.WriteAllTextAsync(file, """
            name: short
            data: { source: { kind: drawn-digits, writers: 12, trainPerWriter: 10, testPerWriter: 5, size: 12 } }
            model: { kind: softmax }
            training: { kind: local, steps: 1, batchSize: 4, optimizer: { kind: sgd, learningRate: 0.5 } }
            strategy: { scheduler: { kind: buffered, concurrency: 4, aggregationGoal: 4 }, exampleWeight: equal, stalenessWeight: constant }
            privacy: { kind: central, epsilon: 8, maxParticipations: 5, mechanism: { kind: dp-fedavg, clipNorm: 0.5 } }
            run: { evaluateEvery: 1, stop: { versions: 3 } }
            """);
        var results = Path.Combine(fed.Folder, "out");
        Assert.True(await fed.RunAsync(["run", file, "--out", results, "--quiet"]) == 0, fed.Error);

        Assert.True(await fed.RunAsync(["privacy", "budget", results]) == 0, fed.Error);
        Assert.Contains("  budget     ε = 8 at δ = 1e-6\n", fed.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Contains("The run costs each client at most ε = 8 at δ = 1e-6; so far the client that it cost most has spent", fed.Out, StringComparison.Ordinal);

        var document = await Json($"privacy budget {results} --json");
        var spent = document.GetProperty("statement").GetProperty("spent").GetProperty("epsilon").GetDouble();
        Assert.InRange(spent, 0.1, 8);
        Assert.Equal(spent, document.GetProperty("course").EnumerateArray().Last().GetProperty("epsilon").GetDouble(), 1e-9);
        Assert.Equal(3, await fed.RunAsync(["privacy", "budget", fed.Folder])); // No results of a run.
    }

    [Theory]
    [InlineData("")]
    [InlineData(" epsilon")]
    [InlineData(" noise")]
    [InlineData(" amplify")]
    [InlineData(" budget")]
    [InlineData(" explain")]
    [InlineData(" audit")]
    [InlineData(" matrix")]
    [InlineData(" study")]
    public async Task EveryVerbHasExamples(string verb)
    {
        Assert.Equal(0, await fed.RunAsync(["privacy", .. verb.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]));
        Assert.Contains($"Examples:\n  fed privacy{verb}", fed.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }
}
