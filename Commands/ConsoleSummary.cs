using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>The line that says how it ended.</summary>
internal static class ConsoleSummary
{
    /// <summary>One object: what, how much, how fast, where, and whether its bytes were checked.</summary>
    /// <param name="upload">Whether it went to the federation.</param>
    /// <param name="name">Name of the object.</param>
    /// <param name="result">How it ended.</param>
    public static string One(bool upload, string name, TransferResult result)
    {
        if (result.WasThere)
        {
            string where = upload ? $"upload: {name} is at {result.Server} already" : $"download: {name} is here already, as at {result.Server}";
            return $"Nothing to {where}: {ConsoleText.Size(result.Size)}, {Checksum.WireName(result.Algorithm!.Value)} verified";
        }

        long moved = result.Size - result.ResumedFrom;
        double seconds = result.Elapsed.TotalSeconds;
        string rate = seconds > 0 && moved > 0 ? $" ({ConsoleText.Rate(moved / seconds)})" : "";
        string resumed = result.ResumedFrom > 0 ? $", resumed at {ConsoleText.Size(result.ResumedFrom)}" : "";
        string age = result.Age >= TimeSpan.FromSeconds(1) ? $", cached {ConsoleText.Elapsed(result.Age.Value)} ago" : "";
        string check = result.Verification == Verification.Verified && result.Algorithm is { } algorithm
            ? $"{Checksum.WireName(algorithm)} verified"
            : $"not verified: {result.UnverifiedReason ?? "no server has a checksum"}";
        return $"{(upload ? "Uploaded" : "Downloaded")} {name}: {ConsoleText.Size(result.Size)} in {ConsoleText.Elapsed(result.Elapsed)}"
            + $"{rate}{(upload ? " to " : " from ")}{result.Server}{age}{resumed}, {check}";
    }

    /// <summary>Several objects, in figures.</summary>
    /// <param name="tally">What became of them.</param>
    /// <param name="elapsed">How long it took.</param>
    /// <param name="tree">Counts of the tree they are from; null when they were named one by one.</param>
    public static string Many(TransferTally tally, TimeSpan elapsed, TreeResult? tree = null)
    {
        string already = tally.Already > 0 ? $"; {tally.Already} already there" : "";
        string failed = tally.Failed > 0 ? $"; {tally.Failed} failed" : "";
        string unverified = tally.Unverified > 0 ? $"; {tally.Unverified} unverified" : "";
        string verified = tally.Succeeded == 0 ? ""
            : tally.Unverified > 0 ? $", {tally.Succeeded - tally.Unverified} verified"
            : tally.Succeeded == 1 ? ", verified" : ", all verified";
        string interrupted = tally.Interrupted > 0 ? $"; {tally.Interrupted} interrupted" : "";
        string left = tree is { TotalsAreFinal: false } ? $"; at least {tally.NotTried} not tried"
            : tally.NotTried > 0 ? $"; {tally.NotTried} not tried"
            : "";
        string leftOut = tree is { LeftOut: > 0 } ? $"; {tree.LeftOut} left out" : "";
        return $"{Count(tally.Succeeded, "object")}, {ConsoleText.Size(tally.Bytes)}"
            + $" in {ConsoleText.Elapsed(elapsed)}{verified}{already}{failed}{unverified}{leftOut}{interrupted}{left}";
    }

    /// <summary>What becomes of objects that were under way when the command was interrupted.</summary>
    /// <param name="upload">Whether they went to the federation.</param>
    /// <param name="tally">At least one was interrupted.</param>
    public static string Interrupted(bool upload, TransferTally tally) =>
        tally.Kept > 0 ? $"What has arrived of {(tally.Interrupted == 1 ? "it" : "them")} is kept, {ConsoleText.Size(tally.Kept)}: the same command goes on from there"
        : upload ? "The same command, given again, sends what is missing"
        : "Nothing of what was under way is kept: the same command, given again, begins it anew";

    /// <summary>A number of things, in words.</summary>
    public static string Count(long number, string thing) => $"{number} {thing}{(number == 1 ? "" : "s")}";
}
