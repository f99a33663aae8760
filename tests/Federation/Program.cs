return await Pelican.Federation.FederationCommand.RunAsync(args);
