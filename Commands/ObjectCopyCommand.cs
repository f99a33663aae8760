using System.CommandLine;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary><c>pelican object copy</c>: get or put, by which end is a URL.</summary>
internal static class ObjectCopyCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandHost host)
    {
        Verb verb = new("copy", "Download or upload, by which end is a URL.")
        {
            Usage = "<source>... <destination>",
            Details =
            [
                "URLs begin with pelican://, osdf:// or stash://; everything else is a local file, here also a bare /path with -f."
                + " See 'pelican object get --help' and 'pelican object put --help' for what both ends mean.",
            ],
            Examples =
            [
                ("pelican object copy osdf:///ospool/data/run1.dat .", "download"),
                ("pelican object copy run1.dat osdf:///ospool/data/run1.dat", "upload"),
            ],
        };
        Argument<string[]> words = verb.Words("source");
        Option<string?> caches = verb.Value("--cache", "LIST", "Servers to use first, when downloading", "-c");
        Option<string?> token = verb.Value("--token", "FILE", "File with the token", "-t");
        Option<string?> sourceToken = verb.Value("--source-token", "FILE", "The same for a download; stronger than --token");
        Option<string?> destToken = verb.Value("--dest-token", "FILE", "The same for an upload; stronger than --token");
        Option<bool> direct = verb.Switch("--direct", "Read from an origin, not from a cache, when downloading");
        Option<bool> overwrite = verb.Switch("--overwrite", "Replace objects that exist, when uploading");
        Option<bool> requireChecksum = verb.Switch("--require-checksum", "Fail where no server has a checksum to compare with");
        Option<bool> dryRun = verb.Switch("--dry-run", "Say what would be transferred, and where to");
        verb.Refuse("--recursive", "this is not there yet", "Name the objects or files one by one for now.", aliases: "-r");
        verb.SetAction(host.Action(parse => parse, RunAsync));
        return verb;

        Task<int> RunAsync(ParseResult parse, Session session, CancellationToken cancellationToken)
        {
            (IReadOnlyList<string> sources, string destination) = ObjectWords.Split(parse.GetValue(words) ?? [], "copy");
            if (IsUpload(sources, destination))
            {
                RefuseFor("upload", parse, caches, direct, sourceToken);
                return ObjectPutCommand.RunAsync(
                    new PutOptions
                    {
                        Sources = sources,
                        Destination = destination,
                        TokenFile = parse.GetValue(destToken) ?? parse.GetValue(token),
                        Overwrite = parse.GetValue(overwrite),
                        RequireChecksum = parse.GetValue(requireChecksum),
                        DryRun = parse.GetValue(dryRun),
                    },
                    session, cancellationToken);
            }

            RefuseFor("download", parse, overwrite, destToken);
            return ObjectGetCommand.RunAsync(
                new GetOptions
                {
                    Sources = sources,
                    Destination = destination,
                    TokenFile = parse.GetValue(sourceToken) ?? parse.GetValue(token),
                    Caches = parse.GetValue(caches) is { } list ? CacheList.Parse(list) : null,
                    Direct = parse.GetValue(direct),
                    RequireChecksum = parse.GetValue(requireChecksum),
                    DryRun = parse.GetValue(dryRun),
                },
                session, cancellationToken);
        }
    }

    /// <summary>Which way it goes.</summary>
    /// <exception cref="PelicanException">Neither way, or both.</exception>
    internal static bool IsUpload(IReadOnlyList<string> sources, string destination)
    {
        int remote = sources.Count(ObjectUrl.IsRemote);
        bool toRemote = ObjectUrl.IsRemote(destination);
        if (remote > 0 && remote < sources.Count)
        {
            throw new PelicanException(Errors.Parameter, "some sources are URLs and others are local files", "Copy them in two commands.");
        }

        return (remote > 0, toRemote) switch
        {
            (true, true) => throw new PelicanException(Errors.NotSupported,
                "both ends are URLs, and copies from server to server are not there yet", "Download first, then upload."),
            (false, false) => throw new PelicanException(Errors.Parameter, "unable to determine direction of transfer:"
                + " either source or destination must be a pelican:// or osdf:// URL", "Copy local files with cp."),
            _ => toRemote,
        };
    }

    private static void RefuseFor(string direction, ParseResult parse, params Option[] options)
    {
        if (Array.Find(options, option => parse.GetResult(option) is { Implicit: false }) is { } given)
        {
            throw new PelicanException(Errors.Parameter, $"{given.Name} does not apply to {(direction == "upload" ? "an upload" : "a download")}",
                "Leave it out.");
        }
    }
}
