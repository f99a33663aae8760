using System.CommandLine;
using Pelican.Server;

namespace Pelican.Commands;

/// <summary><c>pelican client-api openapi</c>: prints the description of the API.</summary>
internal static class ClientApiOpenApiCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandHost host)
    {
        Verb verb = new("openapi", "Print the description of the API, for programs.")
        {
            Details = [$"It is an OpenAPI 3.1 document; a running server has it at {OpenApi.Path}."],
            Examples = [("pelican client-api openapi >pelican.json", "keep it, to make a client from it")],
        };
        verb.SetAction(host.Action(_ => true, Run));
        return verb;
    }

    private static Task<int> Run(bool wanted, Session session, CancellationToken cancellationToken)
    {
        session.Output.Text(OpenApi.Document());
        session.Output.Flush();
        return Task.FromResult(0);
    }
}
