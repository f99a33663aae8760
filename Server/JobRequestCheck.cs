using Pelican.ClientApi;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>Which way a transfer goes.</summary>
internal enum Direction
{
    Download,
    Upload,
}

/// <summary>Refuses requests that cannot be carried out, before anything is stored; names the member and its index.</summary>
/// <param name="settings">Federation of paths without a scheme.</param>
/// <param name="redactor">Knows what looks like a token.</param>
internal sealed class JobRequestCheck(ClientSettings settings, Redactor redactor)
{
    /// <summary>Takes tokens out of what is said about requests.</summary>
    public Redactor Redactor => redactor;

    /// <summary>Checks a job.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/> or <see cref="Errors.NotSupported"/>.</exception>
    public void Check(JobRequest request)
    {
        if (request.Transfers.Count == 0)
        {
            throw new PelicanException(Errors.Parameter, "transfers: at least one transfer is required");
        }

        JobOptionsReader.Check(request.Options);
        if (request.Options?.Label is { } label && !ReferenceEquals(redactor.Redact(label), label))
        {
            throw new PelicanException(Errors.Parameter, "options.label: there is a token in it, and labels are kept and shown", "Choose another one.");
        }

        for (int i = 0; i < request.Transfers.Count; i++)
        {
            Check(request.Transfers[i], FormattableString.Invariant($"transfers[{i}]"), request.Options);
        }
    }

    /// <summary>Checks the URL of a file operation, and its options.</summary>
    /// <returns>The URL, with its federation.</returns>
    public string CheckUrl(string url, JobOptions? options) => CheckTree(url, options) is (var checkedUrl, false) ? checkedUrl
        : throw new PelicanException(Errors.NotSupported, "url: '?recursive' is not possible here", "Leave it out.");

    /// <summary>The same, where a whole tree may be meant.</summary>
    /// <returns>The URL, with its federation, and whether it says so.</returns>
    public (string Url, bool IsTree) CheckTree(string url, JobOptions? options)
    {
        JobOptionsReader.Check(options);
        return (JobOptionsReader.UrlOf(url, options), Url(url, "url", options).Recursive);
    }

    /// <summary>Which way a transfer goes that passed the check.</summary>
    public static Direction DirectionOf(string operation, string source) => operation switch
    {
        "get" => Direction.Download,
        "put" => Direction.Upload,
        _ => ObjectUrl.IsRemote(source) ? Direction.Download : Direction.Upload,
    };

    private void Check(TransferRequest? transfer, string name, JobOptions? options)
    {
        if (transfer is null)
        {
            // The serializer does not look into lists.
            throw new PelicanException(Errors.Parameter, $"{name}: null where an object belongs");
        }

        switch (transfer.Operation)
        {
            case "get" or "put" or "copy":
                break;
            case "prestage":
                throw new PelicanException(Errors.NotSupported, $"{name}.operation: prestage is not there yet", "Use get, put or copy.");
            case "":
                throw new PelicanException(Errors.Parameter, $"{name}.operation: it is empty", "Use get, put or copy.");
            default:
                throw new PelicanException(Errors.Parameter, $"{name}.operation: '{transfer.Operation}' is unknown", "Use get, put or copy.");
        }

        if (transfer.Source.Length == 0)
        {
            throw new PelicanException(Errors.Parameter, $"{name}.source: it is empty");
        }

        if (string.IsNullOrEmpty(transfer.Destination))
        {
            throw new PelicanException(Errors.Parameter, $"{name}.destination: it is required for {transfer.Operation} operations");
        }

        if (transfer.Operation == "copy")
        {
            CheckEnds(transfer, name);
        }

        if (DirectionOf(transfer.Operation, transfer.Source) == Direction.Download)
        {
            Url(transfer.Source, $"{name}.source", options);
            LocalPath(transfer.Destination, $"{name}.destination");
        }
        else
        {
            LocalPath(transfer.Source, $"{name}.source");
            Url(transfer.Destination, $"{name}.destination", options);
        }
    }

    private static void CheckEnds(TransferRequest transfer, string name)
    {
        switch (ObjectUrl.IsRemote(transfer.Source), ObjectUrl.IsRemote(transfer.Destination!))
        {
            case (true, true):
                throw new PelicanException(Errors.NotSupported,
                    $"{name}: both ends are URLs, and copies from server to server are not there yet", "Download first, then upload.");
            case (false, false):
                throw new PelicanException(Errors.Parameter,
                    $"{name}: either source or destination must be a pelican:// or osdf:// URL", "Copy local files with cp.");
        }
    }

    private ObjectUrl Url(string text, string name, JobOptions? options)
    {
        if (!ReferenceEquals(redactor.Redact(text), text))
        {
            throw new PelicanException(Errors.Parameter, $"{name}: there is a token in the URL, and URLs are kept",
                "Put the token into a file, and name that in options.token.");
        }

        try
        {
            return ObjectUrl.Parse(JobOptionsReader.UrlOf(text, options), settings);
        }
        catch (PelicanException e)
        {
            throw new PelicanException(e.Row, $"{name}: {e.Message}", e.NextStep, e);
        }
    }

    private static void LocalPath(string path, string name)
    {
        if (!path.StartsWith('/'))
        {
            throw new PelicanException(Errors.Parameter, $"{name}: '{path}' is not an absolute local path",
                "The server has a current directory of its own: write the whole path.");
        }

        if (path.Contains('\0', StringComparison.Ordinal))
        {
            throw new PelicanException(Errors.Parameter, $"{name}: no file can have a NUL in its name");
        }
    }
}
