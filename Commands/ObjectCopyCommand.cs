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
        Flags flags = new(verb);
        verb.SetAction(host.Action(flags.Read, (options, session, cancellationToken) => options.Get is { } get
            ? ObjectGetCommand.RunAsync(get, session, cancellationToken)
            : ObjectPutCommand.RunAsync(options.Put!, session, cancellationToken),
            options => options.Get is { } get ? ObjectGetCommand.Files(get) : ObjectPutCommand.Files(options.Put!)));
        return verb;
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

    /// <summary>One of the two; the other is null.</summary>
    private sealed record CopyOptions(GetOptions? Get, PutOptions? Put);

    private sealed class Flags(Verb verb)
    {
        private readonly Argument<string[]> _words = verb.Words("source");
        private readonly Option<string?> _caches = verb.Value("--cache", "LIST", "Servers to use first, when downloading", "-c");
        private readonly Option<string?> _token = verb.Value("--token", "FILE", "File with the token", "-t");
        private readonly Option<string?> _sourceToken = verb.Value("--source-token", "FILE", "The same for a download; stronger than --token");
        private readonly Option<string?> _destToken = verb.Value("--dest-token", "FILE", "The same for an upload; stronger than --token");
        private readonly Option<bool> _recursive = verb.Switch("--recursive", "Collections or directories with everything in them", "-r");
        private readonly Option<bool> _direct = verb.Switch("--direct", "Read from an origin, not from a cache, when downloading");
        private readonly Option<bool> _overwrite = verb.Switch("--overwrite", "Replace objects that exist, or files that are read-only");
        private readonly Option<bool> _requireChecksum = verb.Switch("--require-checksum", "Fail where no server has a checksum to compare with");
        private readonly Option<bool> _dryRun = verb.Switch("--dry-run", "Say what would be transferred, and where to");
        private readonly AsyncFlags _async = new(verb);

        public CopyOptions Read(ParseResult parse)
        {
            (IReadOnlyList<string> sources, string destination) = ObjectWords.Split(parse.GetValue(_words) ?? [], "copy");
            return IsUpload(sources, destination)
                ? new CopyOptions(null, Put(parse, sources, destination))
                : new CopyOptions(Get(parse, sources, destination), null);
        }

        private GetOptions Get(ParseResult parse, IReadOnlyList<string> sources, string destination)
        {
            Refuse("a download", parse, _destToken);
            return new GetOptions
            {
                Sources = sources,
                Destination = destination,
                TokenFile = parse.GetValue(_sourceToken) ?? parse.GetValue(_token),
                Caches = parse.GetValue(_caches) is { } list ? CacheList.Parse(list) : null,
                Recursive = parse.GetValue(_recursive),
                Direct = parse.GetValue(_direct),
                Overwrite = parse.GetValue(_overwrite),
                RequireChecksum = parse.GetValue(_requireChecksum),
                DryRun = parse.GetValue(_dryRun),
                Async = _async.Read(parse),
            };
        }

        private PutOptions Put(ParseResult parse, IReadOnlyList<string> sources, string destination)
        {
            Refuse("an upload", parse, _caches, _direct, _sourceToken);
            return new PutOptions
            {
                Sources = sources,
                Destination = destination,
                TokenFile = parse.GetValue(_destToken) ?? parse.GetValue(_token),
                Recursive = parse.GetValue(_recursive),
                Overwrite = parse.GetValue(_overwrite),
                RequireChecksum = parse.GetValue(_requireChecksum),
                DryRun = parse.GetValue(_dryRun),
                Async = _async.Read(parse),
            };
        }

        private static void Refuse(string direction, ParseResult parse, params Option[] options)
        {
            if (Array.Find(options, option => parse.GetResult(option) is { Implicit: false }) is { } given)
            {
                throw new PelicanException(Errors.Parameter, $"{given.Name} does not apply to {direction}", "Leave it out.");
            }
        }
    }
}
