using System.Text.Json;
using Pelican.ClientApi;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>What was tried for one transfer, as it is kept and shown: of one object its attempts, of a tree those of what failed. Thread-safe.</summary>
/// <param name="redactor">Keeps secrets out of them.</param>
internal sealed class JobAttempts(Redactor redactor)
{
    /// <summary>Most that are kept: of one object the last ones, of a tree the first.</summary>
    public const int Most = 100;

    private readonly Lock _lock = new();
    private readonly List<AttemptStatus> _kept = [];

    /// <summary>Adds those of the one object.</summary>
    public void Add(IReadOnlyList<Attempt> attempts)
    {
        // Those of a tree that is one object are there already.
        if (_kept.Count == 0)
        {
            Add(attempts.Skip(attempts.Count - Most), null);
        }
    }

    /// <summary>Adds those of an object of a tree that failed, or did not succeed at once.</summary>
    public void Add(TreeOutcome outcome)
    {
        string? path = outcome.Item.Path.Length == 0 ? null : outcome.Item.Path;
        switch (outcome)
        {
            case { Failure.Attempts.Count: > 0 }:
                Add(outcome.Failure.Attempts, path);
                break;
            case { Failure: { } failure }:
                // Nothing was tried: it may be a collection that cannot be listed, or a file that cannot be read.
                Add([new Attempt("", 0, TimeSpan.Zero, failure.Message, failure.Row)], path);
                break;
            case { Result.Attempts.Count: > 1 }:
                Add(outcome.Result.Attempts, path);
                break;
        }
    }

    /// <summary>All of them; null when there are none.</summary>
    public string? ToJson()
    {
        lock (_lock)
        {
            return _kept.Count == 0 ? null : JsonSerializer.Serialize(_kept, PelicanJson.Default.IReadOnlyListAttemptStatus);
        }
    }

    private void Add(IEnumerable<Attempt> attempts, string? path)
    {
        lock (_lock)
        {
            _kept.AddRange(attempts.Take(Most - _kept.Count).Select(a => new AttemptStatus(
                a.Server, a.Bytes, a.Elapsed.TotalSeconds, a.Error is null ? null : redactor.Redact(a.Error), path)));
        }
    }
}
