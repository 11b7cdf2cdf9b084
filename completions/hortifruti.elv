
use builtin;
use str;

set edit:completion:arg-completer[hortifruti] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'hortifruti'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'hortifruti'= {
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
            cand -V 'Mostra a versão'
            cand --version 'Mostra a versão'
            cand serve 'Guarda o estoque e atende clientes, por texto e por gRPC na mesma porta'
            cand shell 'Abre um terminal interativo para os cinco comandos'
            cand query 'Consulta um produto, os produtos até um preço, ou todos'
            cand update 'Muda o estoque de um produto'
            cand import 'Cria produtos e muda preços a partir de um CSV'
            cand export 'Escreve o catálogo em CSV'
            cand backup 'Copia o banco de dados, também enquanto um servidor o usa'
            cand restore 'Põe uma cópia no lugar do banco de dados, e guarda o que havia'
            cand verify 'Confere um banco de dados ou uma cópia'
            cand token 'Cria tokens, com que o servidor sabe quem pergunta'
            cand bench 'Mede e compara o socket e o gRPC'
            cand completions 'Escreve o script que completa comandos e opções em um shell'
            cand man 'Escreve as páginas de manual, uma para cada comando'
        }
        &'hortifruti;serve'= {
            cand --port 'Porta; 0 escolhe uma livre. O padrão é 8082, ou uma livre com --grpc sozinho'
            cand --host 'Endereço em que escuta'
            cand --tls-cert 'Certificado do servidor, em PEM; com ele, atende só por TLS. Relido com SIGHUP'
            cand --tls-key 'Chave privada do certificado, em PEM e sem senha'
            cand --tls-client-ca 'Só atende clientes com um certificado desta autoridade'
            cand --token-file 'Só atende quem mostra um token deste arquivo (veja `hortifruti token`). Relido com SIGHUP'
            cand --data 'Banco de dados; `:memory:` não guarda nada. O padrão é hortifruti.db'
            cand --port-file 'Arquivo que diz a porta do servidor. O padrão é server_port.txt'
            cand --workers 'Threads que atendem as conexões. O padrão é um por núcleo do processador, menos um'
            cand --exit-after 'Para depois de N conexões'
            cand --drain-seconds 'Ao parar, espera no máximo estes segundos pelos clientes. O padrão é 10'
            cand --max-connections 'Conexões ao mesmo tempo. O padrão é 16384'
            cand --max-connections-per-address 'Conexões ao mesmo tempo de um só endereço. O padrão é 1024, e sem limite próprio nesta máquina'
            cand --idle-seconds 'Encerra uma conexão calada há estes segundos; 0, nunca. O padrão é 43200, doze horas'
            cand --socket 'Atende o protocolo de texto; sem --socket nem --grpc, atende os dois'
            cand --grpc 'Atende gRPC; sem --socket nem --grpc, atende os dois'
            cand --insecure 'Aceita um endereço aberto à rede sem TLS ou sem tokens'
            cand --empty 'Começa um banco de dados novo sem os quatro produtos de exemplo'
            cand -q 'Não mostra conexões e comandos'
            cand --quiet 'Não mostra conexões e comandos'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;shell'= {
            cand --server 'Servidor; sem ele, o do arquivo de porta'
            cand --port-file 'Arquivo que diz a porta do servidor. O padrão é server_port.txt'
            cand --tls-ca 'Autoridade do certificado do servidor, em PEM; sem ela, as deste sistema'
            cand --tls-cert 'Certificado deste cliente, em PEM, onde o servidor pede um'
            cand --tls-key 'Chave privada do certificado deste cliente'
            cand --token-file 'Arquivo com o token a mostrar ao servidor'
            cand --socket 'Fala o protocolo de texto; sem --socket nem --grpc, descobre sozinho'
            cand --grpc 'Fala gRPC; sem --socket nem --grpc, descobre sozinho'
            cand --tls 'Fala por TLS; --tls-ca e --tls-cert também o pedem'
            cand --insecure 'Mostra o token também sem TLS a outra máquina'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;query'= {
            cand --max-price 'Só os produtos até este preço, como 8 ou 3,50'
            cand --format 'Como mostra: text, table, json ou csv'
            cand --server 'Servidor; sem ele, o do arquivo de porta'
            cand --port-file 'Arquivo que diz a porta do servidor. O padrão é server_port.txt'
            cand --tls-ca 'Autoridade do certificado do servidor, em PEM; sem ela, as deste sistema'
            cand --tls-cert 'Certificado deste cliente, em PEM, onde o servidor pede um'
            cand --tls-key 'Chave privada do certificado deste cliente'
            cand --token-file 'Arquivo com o token a mostrar ao servidor'
            cand --socket 'Fala o protocolo de texto; sem --socket nem --grpc, descobre sozinho'
            cand --grpc 'Fala gRPC; sem --socket nem --grpc, descobre sozinho'
            cand --tls 'Fala por TLS; --tls-ca e --tls-cert também o pedem'
            cand --insecure 'Mostra o token também sem TLS a outra máquina'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;update'= {
            cand --reason 'Por que muda: ajuste (o padrão), compra, venda, perda ou contagem'
            cand --request-id 'Identificador do pedido: repetido, não muda o estoque outra vez'
            cand --format 'Como mostra: text, table, json ou csv'
            cand --server 'Servidor; sem ele, o do arquivo de porta'
            cand --port-file 'Arquivo que diz a porta do servidor. O padrão é server_port.txt'
            cand --tls-ca 'Autoridade do certificado do servidor, em PEM; sem ela, as deste sistema'
            cand --tls-cert 'Certificado deste cliente, em PEM, onde o servidor pede um'
            cand --tls-key 'Chave privada do certificado deste cliente'
            cand --token-file 'Arquivo com o token a mostrar ao servidor'
            cand --socket 'Fala o protocolo de texto; sem --socket nem --grpc, descobre sozinho'
            cand --grpc 'Fala gRPC; sem --socket nem --grpc, descobre sozinho'
            cand --tls 'Fala por TLS; --tls-ca e --tls-cert também o pedem'
            cand --insecure 'Mostra o token também sem TLS a outra máquina'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;import'= {
            cand --request-id 'Identificador do pedido: repetido, não importa a lista outra vez'
            cand --server 'Servidor; sem ele, o do arquivo de porta'
            cand --port-file 'Arquivo que diz a porta do servidor. O padrão é server_port.txt'
            cand --tls-ca 'Autoridade do certificado do servidor, em PEM; sem ela, as deste sistema'
            cand --tls-cert 'Certificado deste cliente, em PEM, onde o servidor pede um'
            cand --tls-key 'Chave privada do certificado deste cliente'
            cand --token-file 'Arquivo com o token a mostrar ao servidor'
            cand --dry-run 'Mostra cada mudança e não muda nada'
            cand --yes 'Importa também linhas que parecem erradas, sem perguntar'
            cand --socket 'Fala o protocolo de texto; sem --socket nem --grpc, descobre sozinho'
            cand --grpc 'Fala gRPC; sem --socket nem --grpc, descobre sozinho'
            cand --tls 'Fala por TLS; --tls-ca e --tls-cert também o pedem'
            cand --insecure 'Mostra o token também sem TLS a outra máquina'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;export'= {
            cand --server 'Servidor; sem ele, o do arquivo de porta'
            cand --port-file 'Arquivo que diz a porta do servidor. O padrão é server_port.txt'
            cand --tls-ca 'Autoridade do certificado do servidor, em PEM; sem ela, as deste sistema'
            cand --tls-cert 'Certificado deste cliente, em PEM, onde o servidor pede um'
            cand --tls-key 'Chave privada do certificado deste cliente'
            cand --token-file 'Arquivo com o token a mostrar ao servidor'
            cand --force 'Troca uma lista que `export` escreveu antes'
            cand --socket 'Fala o protocolo de texto; sem --socket nem --grpc, descobre sozinho'
            cand --grpc 'Fala gRPC; sem --socket nem --grpc, descobre sozinho'
            cand --tls 'Fala por TLS; --tls-ca e --tls-cert também o pedem'
            cand --insecure 'Mostra o token também sem TLS a outra máquina'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;backup'= {
            cand --data 'Banco de dados a copiar. O padrão é hortifruti.db'
            cand --force 'Troca um arquivo que já existe, quando a cópia estiver pronta'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;restore'= {
            cand --data 'Banco de dados cujo lugar ela toma. O padrão é hortifruti.db'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;verify'= {
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;token'= {
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
            cand new 'Cria um token: escreve o segredo na saída, esta vez e nunca mais'
        }
        &'hortifruti;token;new'= {
            cand --role 'O que permite: leitura (o padrão) ou escrita'
            cand --token-file 'Arquivo de tokens do servidor, que ganha a linha; sem ele, a linha só é mostrada'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;bench'= {
            cand --server 'Servidor a medir; os estoques dele mudam'
            cand --tls-ca 'Autoridade do certificado do servidor, em PEM; sem ela, as deste sistema'
            cand --tls-cert 'Certificado deste cliente, em PEM, onde o servidor pede um'
            cand --tls-key 'Chave privada do certificado deste cliente'
            cand --token-file 'Arquivo com o token a mostrar ao servidor'
            cand --connections 'Conexões de cada modo. O padrão é 16'
            cand --pipeline 'Operações em voo em cada conexão. O padrão é 16'
            cand --duration 'Quanto dura a medida de cada modo. O padrão é 10'
            cand --rate 'Operações por segundo (laço aberto); sem ela, o máximo (laço fechado)'
            cand --mix 'Leituras e gravações, em cada cem. O padrão é read=80,write=20'
            cand --json 'Escreve os números em JSON'
            cand --html 'Escreve uma página com os gráficos'
            cand --tls 'Fala por TLS; --tls-ca e --tls-cert também o pedem'
            cand --insecure 'Mostra o token também sem TLS a outra máquina'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;completions'= {
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;man'= {
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
    ]
    $completions[$command]
}
