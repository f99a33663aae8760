using System.Text;
using System.Xml;

namespace Pelican.Transfer;

/// <summary>One <c>response</c> of a multistatus answer.</summary>
/// <param name="Href">Path as the server wrote it, without scheme and host.</param>
/// <param name="Size">Bytes; null when not said.</param>
/// <param name="Modified">Whole seconds; null when not said or not understood.</param>
/// <param name="ETag">As sent; null for none.</param>
/// <param name="IsCollection">Whether <c>resourcetype</c> has <c>collection</c>. XRootD's <c>iscollection</c> lies (xrootd.md 8.2).</param>
/// <param name="IsKindTold">Whether it is said what it is (<see cref="KindSigns"/>).</param>
internal sealed record MultistatusEntry(string Href, long? Size, DateTimeOffset? Modified, string? ETag, bool IsCollection, bool IsKindTold = true);

/// <summary>What tells an object from a collection.</summary>
[Flags]
internal enum KindSigns
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary><c>resourcetype</c>, which every server must have (RFC 4918, 15.9).</summary>
    Type = 1,

    /// <summary><c>iscollection</c> is 0: all that XRootD 5 says of objects.</summary>
    NoCollection = 2,

    /// <summary><c>iscollection</c> is something else, which XRootD says of collections, too.</summary>
    PerhapsCollection = 4,
}

/// <summary>A document that is well formed and no multistatus all the same; the message is for people.</summary>
internal sealed class MultistatusFault(string message) : XmlException(message);

/// <summary>Reads a WebDAV multistatus (RFC 4918, 13) as it comes in. What is cut short or malformed is an error, never a smaller listing.</summary>
internal static class Multistatus
{
    private const string Dav = "DAV:";

    /// <summary>The entries, in the order of the answer.</summary>
    /// <exception cref="XmlException">The document is not well formed, ends early, or does not say what it describes.</exception>
    public static async IAsyncEnumerable<MultistatusEntry> ReadAsync(
        Stream body, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A name with a control character is the user's problem, not a broken answer: no CheckCharacters, and a lenient reader.
        XmlReaderSettings settings = new()
        {
            Async = true,
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            CheckCharacters = false,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
        };
        using LenientReader text = new(body, cancellationToken);
        using XmlReader reader = XmlReader.Create(text, settings);
        bool multistatus = false;
        while (await reader.ReadAsync())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (reader.NodeType != XmlNodeType.Element)
            {
                continue;
            }

            if (!multistatus)
            {
                multistatus = Is(reader, "multistatus") ? true : throw new MultistatusFault($"it is a '{reader.LocalName}' of the namespace '{reader.NamespaceURI}', not a multistatus of '{Dav}'");
            }
            else if (Is(reader, "response") && await ResponseAsync(reader) is { } entry)
            {
                yield return entry;
            }
        }

        if (!multistatus)
        {
            throw new MultistatusFault("it is empty");
        }
    }

    private static bool Is(XmlReader reader, string name) => reader.LocalName == name && reader.NamespaceURI == Dav;

    // Reads up to the end of the element. Properties of a propstat whose status is not 200 do not count: what is left without any
    // is there all the same, and whoever asks for it will be told why. Null when it has gone.
    private static async Task<MultistatusEntry?> ResponseAsync(XmlReader reader)
    {
        string? href = null;
        (MultistatusEntry Entry, KindSigns Signs) found = (new("", null, null, null, false), KindSigns.None);
        (MultistatusEntry Entry, KindSigns Signs) pending = found;
        bool counts = true, gone = false;
        int depth = reader.Depth;
        if (reader.IsEmptyElement)
        {
            throw new MultistatusFault("a response is empty");
        }

        while (await NextAsync(reader) && !(reader.NodeType == XmlNodeType.EndElement && reader.Depth == depth))
        {
            if (reader.NodeType == XmlNodeType.EndElement && Is(reader, "propstat"))
            {
                found = counts ? pending : found;
            }
            else if (reader.NodeType != XmlNodeType.Element || reader.NamespaceURI != Dav)
            {
                continue;
            }
            else if (reader.LocalName == "href" && href is null)
            {
                href = await TextAsync(reader);
            }
            else if (reader.LocalName == "propstat")
            {
                (pending, counts) = (found, true);
            }
            else if (reader.LocalName == "status")
            {
                string code = (await TextAsync(reader)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [_, var second, ..] ? second : "";
                counts &= code == "200";
                bool isOfAll = reader.Depth == depth + 1;
                gone |= isOfAll && code is "404" or "410";
                if (isOfAll && code == "507")
                {
                    throw new MultistatusFault("the server has cut it (status 507)");
                }
            }
            else
            {
                pending = await PropertyAsync(reader, pending);
            }
        }

        return href is null ? throw new MultistatusFault("a response has no href")
            : gone ? null
            : found.Entry with { Href = PathOf(href), IsKindTold = IsKindTold(found.Entry, found.Signs) };
    }

    // A length alone is an object's, unless XRootD says it of a collection; what contradicts itself tells nothing.
    private static bool IsKindTold(MultistatusEntry entry, KindSigns signs) => entry.IsCollection || signs switch
    {
        KindSigns.None => entry.Size is not null,
        KindSigns.PerhapsCollection or (KindSigns.Type | KindSigns.PerhapsCollection) => false,
        _ => true,
    };

    private static async Task<(MultistatusEntry Entry, KindSigns Signs)> PropertyAsync(XmlReader reader, (MultistatusEntry Entry, KindSigns Signs) told)
    {
        (MultistatusEntry entry, KindSigns signs) = told;
        switch (reader.LocalName)
        {
            case "resourcetype":
                return (entry, signs | KindSigns.Type);
            case "iscollection":
                return (entry, signs | (await TextAsync(reader) == "0" ? KindSigns.NoCollection : KindSigns.PerhapsCollection));
            case "collection":
                return (entry with { IsCollection = true }, signs);
            case "getcontentlength":
                return (ObjectLength.Parse(await TextAsync(reader)) is { } size ? entry with { Size = size } : entry, signs);
            case "getlastmodified":
                return (HttpDate.Parse(await TextAsync(reader)) is { } time ? entry with { Modified = time } : entry, signs);
            case "getetag":
                return (entry with { ETag = await TextAsync(reader) }, signs);
            default:
                return told;
        }
    }

    private static async Task<bool> NextAsync(XmlReader reader) =>
        await reader.ReadAsync() ? true : throw new MultistatusFault("it ends early");

    // Leaves the reader on the end of the element, so that the caller's loop goes on behind it.
    private static async Task<string> TextAsync(XmlReader reader)
    {
        if (reader.IsEmptyElement)
        {
            return "";
        }

        int depth = reader.Depth;
        string text = "";
        while (await NextAsync(reader) && !(reader.NodeType == XmlNodeType.EndElement && reader.Depth == depth))
        {
            if (reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace)
            {
                text += await reader.GetValueAsync();
            }
        }

        return text;
    }

    private static string PathOf(string href)
    {
        // XRootD ends each with a line feed, and a name may end with other blanks; what is set out on lines of its own has blanks before it, too.
        string trimmed = href is ['\n' or '\r' or '\t' or ' ', ..] ? href.Trim() : href.TrimEnd('\n');
        int scheme = trimmed.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0 || trimmed.StartsWith('/'))
        {
            return trimmed;
        }

        int slash = trimmed.IndexOf('/', scheme + 3);
        return slash < 0 ? "/" : trimmed[slash..];
    }

    /// <summary>
    /// UTF-8 in which U+FFFD stands for whatever XML cannot hold. XRootD writes the bytes of names as they are: one odd name
    /// must not hide all others.
    /// </summary>
    private sealed class LenientReader(Stream body, CancellationToken cancellationToken) : TextReader
    {
        private readonly StreamReader _text = new(body, Encoding.UTF8);

        public override int Read(char[] buffer, int index, int count) => Mend(buffer, index, _text.Read(buffer, index, count));

        public override async Task<int> ReadAsync(char[] buffer, int index, int count) =>
            Mend(buffer, index, await _text.ReadAsync(buffer.AsMemory(index, count), cancellationToken));

        protected override void Dispose(bool disposing)
        {
            _text.Dispose();
            base.Dispose(disposing);
        }

        private static int Mend(char[] buffer, int index, int count)
        {
            foreach (ref char c in buffer.AsSpan(index, count))
            {
                c = c is '\t' or '\n' or '\r' or (>= ' ' and < '\uFFFE') ? c : '\uFFFD';
            }

            return count;
        }
    }
}
