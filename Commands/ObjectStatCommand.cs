using System.CommandLine;
using System.Globalization;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>What <c>object stat</c> was asked to do.</summary>
internal sealed record StatOptions
{
    public required string Url { get; init; }

    public string? TokenFile { get; init; }

    public IReadOnlyList<ChecksumAlgorithm> Checksums { get; init; } = [];
}

/// <summary><c>pelican object stat</c>: what is known of one object.</summary>
internal static class ObjectStatCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandHost host)
    {
        Verb verb = new("stat", "Show size, time and checksums of an object.")
        {
            Usage = "<object>",
            Details = [$"Checksums: {ChecksumNames.All}. Which of them a server has is its own choice. Times are local."],
            Examples =
            [
                ("pelican object stat osdf:///ospool/data/run1.dat", "what is there"),
                ("pelican object stat --checksums crc32c,md5 --json osdf:///ospool/data/run1.dat", "with digests, for a program"),
            ],
        };
        Argument<string[]> words = verb.Words("object");
        Option<string[]> checksums = new("--checksums")
        {
            HelpName = "ALG",
            Description = "Ask for a checksum, or for several with commas between them",
        };
        verb.Options.Add(checksums);
        Option<string?> token = verb.Value("--token", "FILE", "File with the token", "-t");
        verb.SetAction(host.Action(
            parse => new StatOptions
            {
                Url = ObjectWords.One(parse.GetValue(words) ?? [], "stat"),
                TokenFile = parse.GetValue(token),
                Checksums = [.. (parse.GetValue(checksums) ?? []).SelectMany(list => list.Split(',')).Select(ChecksumNames.Parse).Distinct()],
            },
            RunAsync));
        return verb;
    }

    /// <summary>Asks and prints.</summary>
    /// <returns>Exit status.</returns>
    public static async Task<int> RunAsync(StatOptions options, Session session, CancellationToken cancellationToken)
    {
        _ = ObjectWords.Url(options.Url, session);
        TransferOptions transfer = new() { TokenFile = ObjectWords.TokenFile(options.TokenFile, session.World) };
        ObjectInfo info = await session.Federation.StatAsync(options.Url, transfer, options.Checksums, cancellationToken);
        Print(options, info, session);
        return 0;
    }

    /// <summary>Prints what a server said.</summary>
    internal static void Print(StatOptions options, ObjectInfo info, Session session)
    {
        if (!info.IsCollection)
        {
            foreach (string name in options.Checksums.Select(Checksum.WireName).Where(name => !info.Checksums.ContainsKey(name)))
            {
                session.Messages.Warning($"no server has the {name} of {info.Path}");
            }
        }

        if (session.Json)
        {
            session.Output.Json(Reports.Of(info), PelicanJson.Output.ObjectEntry);
            return;
        }

        session.Output.Line($"Name: {info.Path}");
        session.Output.Line($"Size: {info.Size?.ToString(CultureInfo.InvariantCulture) ?? "unknown"}");
        session.Output.Line("ModTime: "
            + (info.Modified is { } time ? ConsoleText.ZonedTime(time, session.World.Clock.LocalTimeZone) : "unknown"));
        session.Output.Line($"IsCollection: {(info.IsCollection ? "true" : "false")}");
        if (info.Checksums.Count > 0)
        {
            session.Output.Line("Checksums:");
            foreach ((string name, string value) in info.Checksums.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                session.Output.Line($"  {name}: {value}");
            }
        }
    }
}
